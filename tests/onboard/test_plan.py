"""What onboarding proposes, from facts alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Governance
from lakemesh.onboard.errors import OnboardError
from lakemesh.onboard.facts import (
    BucketFacts,
    ColumnFacts,
    DatabaseFacts,
    KeyFacts,
    PermissionFacts,
    ProducerFacts,
    TableFacts,
    TableKind,
)
from lakemesh.onboard.producer_plan import ProductRule, Wanted, plan_producer
from lakemesh.onboard.proposal import Proposal, write
from tests.onboard.given import BUCKET, KEY, database, empty_mesh, facts, grant, table, wanted
from tests.onboard.unprepared import CENTRAL, PRODUCER, REGION, STRANGER


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    return empty_mesh(tmp_path / "mesh")


def plan(mesh: Path, given: ProducerFacts, asked: Wanted | None = None) -> Proposal:
    return plan_producer(mesh, load_mesh(mesh), given, asked or wanted())


def onboard(mesh: Path, given: ProducerFacts, asked: Wanted | None = None) -> Proposal:
    proposal = plan(mesh, given, asked)
    write(mesh, proposal.changes)
    load_mesh(mesh)
    return proposal


# ------------------------------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (table("theirs", "s3://stranger-lake/x/"), "not this account's"),
        (table("Upper"), "characters"),
        (table("linked", kind=TableKind.LINK), "shares are not passed on"),
        (table("dialects", kind=TableKind.CATALOG_VIEW), "Data Catalog view"),
        (table("bare", columns=()), "none of its columns"),
        (table("jdbc", directories=(), unreachable=("db.schema.t",)), "no prefix can hold"),
        (table("nowhere", directories=()), "no location"),
        (table("managed", "s3://managed-key/x/"), "AWS managed key"),
        (table("foreign", "s3://foreign-key/x/"), f"a key of account {STRANGER}"),
        (table("far", "s3://far-key/x/"), "region us-west-2"),
    ],
    ids=lambda value: value.name if isinstance(value, TableFacts) else "",
)
def test_a_table_that_cannot_be_shared_is_refused_with_its_reason_and_the_rest_goes_on(
    mesh: Path, refused: TableFacts, why: str
) -> None:
    keys = {
        BUCKET: KeyFacts(KEY, customer_managed=True),
        "managed-key": KeyFacts("alias/aws/s3", customer_managed=False),
        "foreign-key": KeyFacts(KEY.replace(PRODUCER, STRANGER), customer_managed=True),
        "far-key": KeyFacts(KEY.replace(REGION, "us-west-2"), customer_managed=True),
    }
    given = facts(
        database(table("good"), refused),
        own_buckets=frozenset(keys),
        buckets={name: BucketFacts(name, key) for name, key in keys.items()},
    )
    proposal = onboard(mesh, given)
    assert [one.what for one in proposal.refused] == [f"table harvest.{refused.name}"]
    assert why in proposal.refused[0].why
    assert list(load_mesh(mesh).products) == ["good"]


def test_a_resource_link_is_refused_because_shares_are_not_passed_on(mesh: Path) -> None:
    with pytest.raises(OnboardError, match=f"resource link of account {STRANGER}"):
        plan(mesh, facts(database(link_to=STRANGER)))


def test_a_database_with_an_upper_case_name_is_refused(mesh: Path) -> None:
    with pytest.raises(OnboardError, match="upper-case"):
        plan(mesh, facts(database(table("a"), name="Harvest")), wanted("Harvest"))


def test_prefixes_inside_another_producers_are_refused(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a", f"s3://{BUCKET}/shared/a/"))))
    other = replace(
        facts(database(table("b", f"s3://{BUCKET}/shared/a/b/"), name="mills"), buckets={}), account=STRANGER
    )
    with pytest.raises(OnboardError, match="lie in each other"):
        plan(mesh, other, wanted("mills", name="mills", account=STRANGER))


def test_an_account_of_another_part_is_refused(mesh: Path) -> None:
    with pytest.raises(OnboardError, match="account of central"):
        plan(mesh, facts(database(table("a"))), wanted(account=CENTRAL))


@pytest.mark.parametrize(("gap", "said"), [({"owner": ""}, "--owner"), ({"approvers": ()}, "--approver")])
def test_what_only_people_know_is_asked_for(mesh: Path, gap: dict[str, Any], said: str) -> None:
    with pytest.raises(OnboardError, match=said):
        plan(mesh, facts(database(table("a"))), wanted(**gap))


# ---------------------------------------------------------------------------------------------------- mesh.yaml
def test_a_database_name_that_is_taken_gets_an_explicit_twin(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a"))))
    other = replace(
        facts(database(table("b", "s3://mills-lake/b/"))), account=STRANGER, own_buckets=frozenset({"mills-lake"})
    )
    proposal = onboard(mesh, other, wanted(name="mills", account=STRANGER))
    sources = load_mesh(mesh).mesh.domains["harvest"].sources
    assert [source.twin_name for source in sources] == ["harvest", "mills_harvest"]
    assert any("another source has that twin" in note for note in proposal.notes)


def test_the_database_default_gets_another_twin_because_every_account_has_one(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a", database="default"), name="default")), wanted("default"))
    assert load_mesh(mesh).mesh.domains["harvest"].sources[0].twin == "orchards_default"


def test_unchosen_tables_lie_in_the_prefixes_too_because_every_table_is_synced(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a"), table("b"))), wanted(tables=("a",)))
    declarations = load_mesh(mesh)
    assert declarations.mesh.domains["harvest"].sources[0].prefixes == (f"s3://{BUCKET}/harvest/",)
    assert list(declarations.products) == ["a"]


OPEN = "IAM_ALLOWED_PRINCIPALS"


def opened(*resources: dict[str, Any]) -> tuple[PermissionFacts, ...]:
    return tuple(grant(OPEN, resource, "ALL") for resource in resources)


@pytest.mark.parametrize(
    ("permissions", "open_by_default", "expected"),
    [
        (opened({"Database": {"Name": "harvest"}}, {"Table": {"DatabaseName": "harvest", "Name": "a"}}), True, "iam"),
        (
            opened({"Database": {"Name": "harvest"}}, {"Table": {"DatabaseName": "harvest", "TableWildcard": {}}}),
            True,
            "iam",
        ),
        (opened({"Database": {"Name": "harvest"}}), True, "lake-formation"),
        ((), True, "lake-formation"),
        (None, True, "iam"),
        (None, False, "lake-formation"),
    ],
)
def test_governance_is_iam_only_where_everything_is_left_to_iam(
    permissions: Any, open_by_default: bool, expected: str
) -> None:
    given = facts(database(table("a")), permissions=permissions, open_by_default=open_by_default)
    assert given.governance(frozenset({"harvest"})) == expected


def test_an_account_that_lake_formation_governs_needs_its_deploying_role_as_administrator(mesh: Path) -> None:
    proposal = plan(mesh, facts(database(table("a"))))
    assert any("role/lakemesh-deploy" in note and "DataLakeAdmins" in note for note in proposal.notes)
    role = f"arn:aws:iam::{PRODUCER}:role/lakemesh-deploy"
    assert not any(
        "DataLakeAdmins" in note for note in plan(mesh, facts(database(table("a")), administrators=(role,))).notes
    )


# ------------------------------------------------------------------------------------------------------ contracts
def test_every_column_is_unreviewed_and_partition_keys_are_marked(mesh: Path) -> None:
    keys = (ColumnFacts("day", "date"), ColumnFacts("hour", "int"))
    onboard(mesh, facts(database(table("a", partition_keys=keys))))
    (only,) = load_mesh(mesh).products["a"].tables
    assert [column.sensitivity for column in only.columns] == [None] * 4
    assert [(key.name, key.partition_key) for key in only.partition_keys] == [("day", 1), ("hour", 2)]


def test_tables_are_grouped_by_product(mesh: Path) -> None:
    given = facts(database(table("a"), table("b"), table("c")), database(table("d", database="raw"), name="raw"))
    rules = (ProductRule.parse("pair=[ab]"), ProductRule.parse("rest"))
    onboard(mesh, given, wanted("harvest", "raw", products=rules))
    products = load_mesh(mesh).products
    assert {name: [one.key for one in product.tables] for name, product in products.items()} == {
        "pair": ["harvest.a", "harvest.b"],
        "rest": ["harvest.c", "raw.d"],
    }


def test_products_of_one_name_are_told_apart_by_their_database(mesh: Path) -> None:
    given = facts(database(table("a")), database(table("a", database="raw"), name="raw"))
    onboard(mesh, given, wanted("harvest", "raw"))
    assert sorted(load_mesh(mesh).products) == ["a", "raw_a"]


def test_a_persons_contract_gains_new_columns_and_keeps_everything_else(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a"))))
    file = mesh / "products/harvest/a.odcs.yaml"
    edited = (
        file.read_text()
        .replace("status: draft", "status: active   # ours now")
        .replace("classification: unreviewed", "classification: internal", 1)
    )
    file.write_text(edited)
    columns = (ColumnFacts("id", "int"), ColumnFacts("note", "string", "yes: #1"))
    proposal = onboard(mesh, facts(database(table("a", columns=columns))))
    assert file.read_text().startswith(edited)
    assert [change.name for change in proposal.changes] == ["products/harvest/a.odcs.yaml"]
    assert any("column amount is not in harvest.a any more" in note for note in proposal.notes)
    assert any("column id of harvest.a is int now, and string in the contract" in note for note in proposal.notes)
    (only,) = load_mesh(mesh).products["a"].tables
    assert [(one.name, one.type, one.sensitivity) for one in only.columns] == [
        ("id", "string", "internal"), ("amount", "decimal(18,2)", None), ("note", "string", None),
    ]  # fmt: skip
    assert plan(mesh, facts(database(table("a", columns=columns)))).changes == []


def test_a_new_partition_key_is_for_people_because_whoever_reads_a_column_reads_it(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a"))))
    proposal = plan(mesh, facts(database(table("a", partition_keys=(ColumnFacts("day", "date"),)))))
    assert proposal.changes == []
    assert any("partition key day" in note for note in proposal.notes)


def test_a_new_table_joins_its_product(mesh: Path) -> None:
    rules = (ProductRule.parse("all"),)
    onboard(mesh, facts(database(table("a"))), wanted(products=rules))
    before = (mesh / "products/harvest/all.odcs.yaml").read_text()
    onboard(mesh, facts(database(table("a"), table("b", f"s3://{BUCKET}/harvest/a/b/"))), wanted(products=rules))
    assert (mesh / "products/harvest/all.odcs.yaml").read_text().startswith(before)
    assert [one.name for one in load_mesh(mesh).products["all"].tables] == ["a", "b"]


def test_a_table_outside_its_declared_prefixes_is_refused_and_the_prefixes_stay(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a"))))
    proposal = plan(mesh, facts(database(table("a"), table("b", f"s3://{BUCKET}/elsewhere/"))))
    assert proposal.changes == []
    assert [one.what for one in proposal.refused] == ["table harvest.b"]
    assert "outside the prefixes" in proposal.refused[0].why


def test_a_second_database_goes_beside_the_first(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a"))))
    before = (mesh / "mesh.yaml").read_text()
    onboard(mesh, facts(database(table("a")), database(table("d", database="raw"), name="raw")), wanted("raw"))
    lines = iter((mesh / "mesh.yaml").read_text().splitlines())
    assert all(line in lines for line in before.splitlines())
    assert [source.database for source in load_mesh(mesh).mesh.domains["harvest"].sources] == ["harvest", "raw"]


# ---------------------------------------------------------------------------------------------------- policies
def test_statements_are_those_of_the_component_and_a_full_policy_is_refused(mesh: Path) -> None:
    full = '{"Version":"2012-10-17","Statement":[{"Sid":"x","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"%s"}]}'
    bucket = BucketFacts(BUCKET, KeyFacts(KEY, customer_managed=True), full % ("x" * 20_400))
    proposal = plan(mesh, facts(database(table("a")), buckets={BUCKET: bucket}))
    merges = {one.policy: one for one in proposal.merges}
    assert merges[f"bucket {BUCKET}"].state == "refused"
    assert "policyStatements: print" in merges[f"bucket {BUCKET}"].reason
    assert merges[f"key {KEY}"].state == "to add"
    assert merges[f"key {KEY}"].statements[0]["Action"] == ["kms:Decrypt", "kms:DescribeKey"]
    assert any(f"bucket {BUCKET} denies something (x)" in note for note in proposal.notes)


# ------------------------------------------------------------------------------------------------- mesh.yaml, again
def test_where_account_and_declaration_disagree_a_person_decides(mesh: Path) -> None:
    onboard(mesh, facts(database(table("a"))), wanted(governance=Governance.IAM))
    key = KeyFacts(KEY.replace("5555", "7777"), customer_managed=True)
    proposal = plan(mesh, facts(database(table("a")), buckets={BUCKET: BucketFacts(BUCKET, key)}))
    assert proposal.changes == []
    said = "\n".join(proposal.notes)
    assert f"producers.orchards.buckets.{BUCKET}: the account says" in said
    assert "producers.orchards.governance: the account looks like lake-formation, mesh.yaml says iam" in said


def test_a_database_of_views_alone_needs_a_location_of_its_own(mesh: Path) -> None:
    view = table("v", directories=(), kind=TableKind.VIEW, format="")
    with pytest.raises(OnboardError, match="none of its tables has a location"):
        plan(mesh, facts(database(view)))
    given: DatabaseFacts = database(view, location=f"s3://{BUCKET}/views")
    onboard(mesh, facts(given))
    assert load_mesh(mesh).mesh.domains["harvest"].sources[0].prefixes == (f"s3://{BUCKET}/views/",)
    assert load_mesh(mesh).products["v"].tables[0].kind == "view"
