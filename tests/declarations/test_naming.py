"""Names of what the mesh makes stay within AWS's limits, are stable, and never coincide."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemesh.declarations.models import ConsumerEntry, Mesh, Producer
from lakemesh.declarations.naming import Naming, partition_of, shorten

slugs = st.from_regex(r"[a-z][a-z0-9]{0,9}([-_][a-z0-9]{1,12}){0,3}", fullmatch=True).filter(lambda s: len(s) <= 50)
principals = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", fullmatch=True)


def mesh(name: str = "mesh", producer: str = "p", consumer: str = "c", region: str = "ap-southeast-2") -> Mesh:
    return Mesh(
        name=name,
        organization={"id": "o-zzzz000011"},
        region=region,
        central={"account": "000000000001", "deployRole": "teams/deploy"},
        producers={producer: Producer(account="000000000002", owner="x")},
        consumers={consumer: ConsumerEntry(account="000000000003", owner="x")},
    )


@given(name=slugs, domain=slugs, producer=slugs, consumer=slugs, principal=principals)
def test_every_name_is_one_that_aws_takes(name: str, domain: str, producer: str, consumer: str, principal: str) -> None:
    naming = Naming(mesh(name, producer, consumer))
    roles = [
        naming.sync_role,
        naming.tag_role,
        naming.registration_role(domain, producer),
        naming.reader_role(producer),
        naming.statements_role(producer),
        naming.shares_role(consumer),
    ]
    functions = [
        naming.sync_function,
        naming.tag_function,
        naming.statements_function(producer),
        naming.shares_function(consumer),
    ]
    for role in roles:
        assert re.fullmatch(r"[\w+=,.@-]{1,64}", role)
    for function in functions:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function)
    assert re.fullmatch(r"[a-zA-Z0-9._-]{1,128}", naming.workgroup(consumer, principal))
    bucket = naming.results_bucket(consumer)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket)
    assert "000000000003" in bucket
    assert re.fullmatch(r"[\w+=,.@:/-]{2,1224}", naming.external_id(producer))
    assert re.fullmatch(r"[A-Za-z0-9]+", naming.sid_prefix(producer))
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", naming.state_bucket)
    assert "000000000001" in naming.state_bucket
    policies = [naming.boundary, naming.deploy_boundary, naming.deploy_policy(1), naming.deploy_policy(2)]
    assert len(set(policies)) == 4
    for policy in policies:
        assert re.fullmatch(r"[\w+=,.@-]{1,128}", policy)
    for alias in (naming.catalog_key_alias, naming.state_key_alias):
        assert re.fullmatch(r"alias/[a-zA-Z0-9/_-]{1,250}", alias)


@given(st.lists(slugs, min_size=2, max_size=4, unique=True))
def test_no_two_domains_and_producers_share_a_registration_role(names: list[str]) -> None:
    naming = Naming(mesh(name="a-mesh-with-a-rather-long-name"))
    pairs = list(product(names, repeat=2))
    assert len({naming.registration_role(*pair) for pair in pairs}) == len(pairs)


def test_names_that_would_be_joined_alike_stay_apart() -> None:
    naming = Naming(mesh())
    assert naming.registration_role("a-b", "c") != naming.registration_role("a", "b-c")


@given(st.text(alphabet="abc-", min_size=1, max_size=200), st.text(alphabet="abc-", min_size=1, max_size=200))
def test_shortening_keeps_different_names_different(one: str, other: str) -> None:
    assert len(shorten(one, 40)) <= 40
    assert (shorten(one, 40) == shorten(other, 40)) == (one == other)


def test_a_name_that_fits_is_left_as_it_is() -> None:
    assert Naming(mesh()).reader_role("p") == "mesh-reader-p"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_the_region_decides_the_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    assert Naming(mesh(region=region)).sync_role_arn().startswith(f"arn:{partition}:iam::000000000001:role/")


def test_each_kind_of_part_is_deployed_by_the_role_of_its_account() -> None:
    naming = Naming(mesh())
    assert naming.deploy_role_arn("central") == "arn:aws:iam::000000000001:role/teams/deploy"
    assert naming.deploy_role_arn("domain", "d") == naming.deploy_role_arn("central")
    assert naming.deploy_role_arn("producer", "p") == "arn:aws:iam::000000000002:role/lakemesh-deploy"
    assert naming.deploy_role_arn("consumer", "c") == "arn:aws:iam::000000000003:role/lakemesh-deploy"
    with pytest.raises(ValueError, match="no kind of part"):
        naming.deploy_role_arn("stack")


def test_the_product_names_no_account_or_region_of_the_sample() -> None:
    package = Path(__file__).parents[2] / "lakemesh" / "declarations"
    for path in package.glob("*.py"):
        code = path.read_text(encoding="utf-8")
        for word in ("222233334444", "finance-analytics", "acme"):
            assert word not in code, f"{path.name} names {word}"
