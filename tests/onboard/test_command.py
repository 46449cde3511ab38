"""What the commands print, ask and write, and how they end."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.cli import onboard as command
from lakemesh.onboard import reading
from lakemesh.onboard.account import CONSUMER_READS, PRODUCER_READS, open_account
from lakemesh.onboard.errors import ExpiredCredentialsError
from tests.onboard.conftest import Lakemesh, text
from tests.onboard.test_onboarding import HARVEST, READERS
from tests.onboard.unprepared import (
    CENTRAL,
    CONSUMER,
    CONSUMER_READER,
    FOREIGN,
    PRODUCER,
    READER,
    REGION,
    STRANGER,
    Unprepared,
)

ONE = ("--database", "harvest", "--table", "shipments")


def test_a_dry_run_shows_the_diff_and_writes_nothing(lakemesh: Lakemesh, accounts: Unprepared, empty: Path) -> None:
    before = text(empty)
    result = lakemesh(PRODUCER, *HARVEST, *ONE, "--mesh", str(empty), "--dry-run")
    assert result.exit_code == 0, result.output
    assert "+++ b/mesh/products/harvest/shipments.odcs.yaml" in result.output
    assert "+        classification: unreviewed" in result.output
    assert text(empty) == before


def test_without_a_terminal_and_without_yes_nothing_is_written(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path
) -> None:
    before = text(empty)
    result = lakemesh(PRODUCER, *HARVEST, *ONE, "--mesh", str(empty))
    assert result.exit_code == 1
    assert "--yes writes" in result.stderr
    assert text(empty) == before


def test_json_says_what_is_written_what_is_refused_and_what_policies_get(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path
) -> None:
    given = (*HARVEST, "--database", "harvest", "--table", "shipments", "--table", "borrowed")
    result = lakemesh(PRODUCER, *given, "--mesh", str(empty), "--yes", "--format", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["written"] is True
    assert {"file": "mesh/products/harvest/shipments.odcs.yaml", "new": True}.items() <= document["changes"][-1].items()
    assert [one["what"] for one in document["refused"]] == ["table harvest.borrowed"]
    assert {one["state"] for one in document["merges"]} == {"to add"}
    again = json.loads(lakemesh(PRODUCER, *given, "--mesh", str(empty), "--yes", "--format", "json").stdout)
    assert (again["written"], again["changes"]) == (False, [])


def test_the_wrong_account_is_refused(lakemesh: Lakemesh, accounts: Unprepared, empty: Path) -> None:
    result = lakemesh(CONSUMER, "onboard", "producer", "orchards", "--account", PRODUCER, "--mesh", str(empty))
    assert result.exit_code == 1
    assert f"of account {CONSUMER}" in result.stderr
    assert "Nothing was read" in result.stderr


def test_missing_permissions_are_named_with_the_statement_to_add(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path
) -> None:
    writer = f"arn:aws:iam::{PRODUCER}:role/Writer"
    given = ("onboard", "producer", "orchards", "--account", PRODUCER, "--role", writer, "--domain", "harvest")
    before = text(empty)
    result = lakemesh(PRODUCER, *given, "--mesh", str(empty), "--yes", "--format", "json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)["error"]
    for action in ("kms:DescribeKey", "kms:GetKeyPolicy", "lakeformation:ListPermissions"):
        assert f'"{action}"' in said
    assert text(empty) == before


def test_credentials_that_end_half_way_leave_nothing_half_written(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: Any) -> None:
        raise ExpiredCredentialsError("The credentials are not valid any more. Nothing was written.")

    before = text(empty)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "_settings", ended)
        result = lakemesh(PRODUCER, *HARVEST, *ONE, "--mesh", str(empty), "--yes")
    assert result.exit_code == 1
    assert text(empty) == before
    assert lakemesh(PRODUCER, *HARVEST, *ONE, "--mesh", str(empty), "--yes").exit_code == 0


def test_a_mesh_that_is_not_valid_is_to_be_mended_first(lakemesh: Lakemesh, empty: Path) -> None:
    (empty / "tags.yaml").write_text("tagz: {}\n")
    result = lakemesh(PRODUCER, *HARVEST, "--mesh", str(empty), "--yes")
    assert result.exit_code == 1
    assert "tags.yaml:1:1" in result.stderr


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (("--database", "nothing_*"), "No database of the account fits nothing_*"),
        (("--table", "no_such_*"), "No table fits no_such_*"),
        (("--product", "Not A Name"), "cannot name a product"),
    ],
)
def test_what_cannot_be_is_said(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path, extra: tuple[str, str], said: str
) -> None:
    result = lakemesh(PRODUCER, *HARVEST, *extra, "--mesh", str(empty), "--yes")
    assert result.exit_code == 1
    assert said in result.stderr


def test_on_a_terminal_it_asks_for_everything(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "terminal", lambda: True)
    given = ("onboard", "producer", "orchards", "--account", PRODUCER, "--role", READER, "--mesh", str(empty))
    answers = [
        "7",
        "1",
        "harvest",
        "shipments, orchard_0*",
        "@example/orchards",
        "@example/harvest",
        "olga@example.com",
        "y",
    ]
    result = lakemesh(PRODUCER, *given, answers="\n".join(answers) + "\n")
    assert result.exit_code == 0, f"{result.output} {result.stderr}"
    assert "Numbers from 1 to 2" in result.stderr
    declarations = load_mesh(empty)
    assert declarations.mesh.domains["harvest"].approvers == ("olga@example.com",)
    assert len(declarations.products) == 11


def test_on_a_terminal_no_means_no(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "terminal", lambda: True)
    before = text(empty)
    given = ("onboard", "consumer", "reporting", "--account", CONSUMER, "--role", CONSUMER_READER, "--mesh", str(empty))
    result = lakemesh(CONSUMER, *given, answers="@example/reporting\n1\nn\n")
    assert result.exit_code == 1
    assert "+  harvest-analyst:" in result.output
    assert text(empty) == before


def test_a_consumer_gets_who_queries_and_not_who_may_do_anything(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path
) -> None:
    assert lakemesh(CONSUMER, *READERS, "--mesh", str(empty), "--yes").exit_code == 0
    declared = load_mesh(empty).consumers["reporting"]
    assert list(declared.principals) == ["harvest-analyst"]
    assert declared.administrators == (f"arn:aws:iam::{CONSUMER}:role/LakeAdmin",)


def test_the_published_permissions_are_exactly_those_that_are_used(
    accounts: Unprepared, reset: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", accounts.clients.endpoint)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", PRODUCER)
    producer = open_account(PRODUCER, REGION, role=READER)
    catalog = reading.read_catalog(producer)
    reading.read_producer(producer, catalog, frozenset({"harvest", "raw"}))
    assert producer.used | {"kms:Decrypt"} == set(PRODUCER_READS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CONSUMER)
    consumer = open_account(CONSUMER, REGION, role=CONSUMER_READER)
    reading.read_consumer(consumer)
    assert consumer.used == set(CONSUMER_READS)


def test_the_page_publishes_the_same_permissions() -> None:
    page = (Path(__file__).parents[2] / "docs/onboarding.md").read_text()
    published = json.loads(page.partition("```json\n")[2].partition("```")[0])["Statement"]
    assert sorted(action for statement in published for action in statement["Action"]) == sorted(PRODUCER_READS)
    assert re.findall(r'`"([a-z]+:[A-Za-z]+)"`', page) == list(CONSUMER_READS)


def test_an_account_that_lake_formation_never_touched_is_governed_by_iam(
    lakemesh: Lakemesh, accounts: Unprepared, empty: Path
) -> None:
    accounts.glue = accounts.root("glue", STRANGER)
    accounts.glue.create_database(DatabaseInput={"Name": "theirs"})
    accounts.table("theirs", "fields", f"s3://{FOREIGN}/theirs/fields/")
    given = (
        "onboard", "producer", "fields", "--account", STRANGER, "--domain", "fields", "--owner", "@example/fields",
        "--domain-owner", "@example/fields", "--approver", "omar@example.com", "--mesh", str(empty), "--yes",
    )  # fmt: skip
    result = lakemesh(STRANGER, *given)
    assert result.exit_code == 0, result.output
    assert "no data lake administrator" in result.output
    producer = load_mesh(empty).mesh.producers["fields"]
    assert (producer.governance, producer.catalog_key, producer.buckets[FOREIGN].kms_key) == ("iam", None, None)


def test_codeowners_follows_what_was_onboarded(lakemesh: Lakemesh, accounts: Unprepared, empty: Path) -> None:
    assert lakemesh(CENTRAL, "codeowners", "--mesh", str(empty), "--platform", "@example/platform").exit_code == 0
    assert lakemesh(CENTRAL, "codeowners", "--mesh", str(empty), "--check").exit_code == 0
    assert lakemesh(CONSUMER, *READERS, "--mesh", str(empty), "--yes").exit_code == 0
    stale = lakemesh(CENTRAL, "codeowners", "--mesh", str(empty), "--check")
    assert stale.exit_code == 1
    assert "not current" in stale.stderr
    assert lakemesh(CENTRAL, "codeowners", "--mesh", str(empty)).exit_code == 0
    assert "/mesh/consumers/reporting.yaml  @example/reporting" in (empty.parent / ".github/CODEOWNERS").read_text()
