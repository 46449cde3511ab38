"""Declarations into arguments, without an engine."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.arguments import Arguments, Options
from lakemesh.deploy.parts import Part, parts

TODAY = dt.date(2026, 11, 25)


@pytest.fixture
def arguments(sample: Declarations) -> Arguments:
    return Arguments(sample, Options(), TODAY)


def test_central_names_every_twin_and_reader_and_itself_as_administrator(arguments: Arguments) -> None:
    central = arguments.central()

    assert central["twins"] == [
        "ar_curated",
        "ar_raw",
        "general_ledger",
        "procurement_curated",
        "procurement_raw",
    ]
    assert len(central["reader_role_arns"]) == 2
    assert "arn:aws:iam::111122223333:role/lakemesh-deploy" in central["administrators"]
    assert json.loads(central["manifest"])["version"] == 1


def test_a_producers_bucket_lists_who_reads_what_in_it(arguments: Arguments) -> None:
    (bucket,) = arguments.producer("erp")["buckets"]

    assert bucket["bucket"] == "acme-erp-lake"
    assert bucket["kms_key"].endswith("cd613e30-d8f1-4adf-91b7-584a2265b1f5")
    assert {reader["role_arn"].rsplit("-")[-1]: reader["prefixes"] for reader in bucket["readers"]} == {
        "ap.erp": ["curated/gl/"],
        "ar.erp": ["curated/ar/", "raw/ar/"],
    }


def test_a_plain_producer_has_no_key_and_is_not_governed(arguments: Arguments) -> None:
    producer = arguments.producer("procurement")

    assert not producer["governed"]
    assert "catalog_key" not in producer
    assert "kms_key" not in producer["buckets"][0]


def test_a_domain_registers_its_prefixes_through_one_role_a_producer(arguments: Arguments) -> None:
    locations = {each["producer"]: each for each in arguments.domain("ap")["locations"]}

    assert locations["erp"]["prefixes"] == [{"bucket": "acme-erp-lake", "prefix": "curated/gl/"}]
    assert len(locations["erp"]["kms_keys"]) == 1
    assert locations["procurement"]["kms_keys"] == []


def test_reviewed_columns_say_their_sensitivity_and_unreviewed_ones_nothing(arguments: Arguments) -> None:
    (product,) = [each for each in arguments.domain("ar")["products"] if each["product"] == "ar_invoice"]
    (table,) = product["tables"]

    assert table["columns"]["currency"] == {"sensitivity": "public"}
    assert table["columns"]["direct_debit_iban"] == {"sensitivity": "restricted"}
    assert table["columns"]["dunning_note"] == {}
    assert table["tags"]["product"] == "ar_invoice"


def test_a_view_has_no_tags_on_columns(arguments: Arguments) -> None:
    (product,) = [each for each in arguments.domain("ar")["products"] if each["product"] == "invoice_aging"]

    assert set(map(str, product["tables"][0]["columns"].values())) == {"{}"}
    assert product["tables"][0]["tags"]["sensitivity"] == "internal"


def test_partition_keys_stand_in_their_order(arguments: Arguments) -> None:
    (product,) = [each for each in arguments.domain("ap")["products"] if each["product"] == "ledger_balance"]

    assert product["tables"][0]["partition_keys"] == ["fiscal_year", "fiscal_period"]


def test_every_principal_of_a_consumer_gets_a_workgroup_even_without_a_grant(arguments: Arguments) -> None:
    assert [each["principal"] for each in arguments.consumer("finance-analytics")["workgroups"]] == [
        "analyst",
        "controller",
        "intern",
    ]


def test_a_consumer_looks_for_invitations_again_when_something_new_is_granted_to_it(sample: Declarations) -> None:
    def digest(consumer: str, today: dt.date) -> str:
        return Arguments(sample, Options(), today).consumer(consumer)["shares_digest"]

    later = dt.date(2036, 1, 1)  # a grant to a controller of finance-analytics has expired by then
    assert digest("finance-analytics", TODAY) != digest("finance-analytics", later)
    assert digest("treasury", TODAY) == digest("treasury", later)


def test_an_expired_grant_is_in_neither_stack(sample: Declarations) -> None:
    now, later = (Arguments(sample, Options(), day) for day in (TODAY, dt.date(2036, 1, 1)))

    gone = {e["name"] for e in now.domain("ar")["entries"]} - {e["name"] for e in later.domain("ar")["entries"]}
    assert len(gone) == 1
    assert "GroupController" in str([e for e in now.domain("ar")["entries"] if e["name"] in gone])


def test_each_part_deploys_through_its_own_accounts_role(arguments: Arguments, sample: Declarations) -> None:
    for part in parts(sample):
        provider = arguments.provider(part)
        assert f"::{provider.account}:role/" in provider.role_arn
    assert arguments.provider(Part.parse("domain-ar", sample)).account == sample.mesh.central.account


def test_a_session_name_is_never_too_long_for_sts(mesh: Path) -> None:
    """STS API, AssumeRole, RoleSessionName: 2 to 64 characters."""
    path = mesh / "mesh.yaml"
    path.write_text(
        path.read_text().replace("name: lakemesh", "name: a-mesh-with-a-name-of-fifty-characters-exactly-here"[:56])
    )
    declarations = load_mesh(mesh)

    for part in parts(declarations):
        assert len(Arguments(declarations, Options(), TODAY).provider(part).session_name) <= 64


def test_a_domain_without_sources_has_no_alarms_whose_silence_would_be_one(mesh: Path) -> None:
    path = mesh / "mesh.yaml"
    new = "domains:\n  new:\n    owner: '@acme/new'\n    approvers: [nadia.berger@acme.example]\n"
    path.write_text(path.read_text().replace("\ndomains:\n", f"\n{new}", 1))
    made = Arguments(load_mesh(mesh), Options(), TODAY)

    assert "monitoring" not in made.domain("new")
    assert "monitoring" in made.domain("ar")
    assert made.central()["domains"] == ["ap", "ar"]


def test_arguments_are_plain_values_that_a_package_could_be_given(arguments: Arguments) -> None:
    for part in (
        arguments.central(),
        arguments.producer("erp"),
        arguments.domain("ar"),
        arguments.consumer("treasury"),
    ):
        assert json.loads(json.dumps(part)) == part
