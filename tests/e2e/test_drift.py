"""`lakemesh drift` over a deployed mesh: what is made by hand is found, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lakemesh.cli.main import app
from lakemesh.demo.process import LocalAwsProcess
from tests.e2e.conftest import SAMPLE, World
from tests.workflows.test_docs import blocks

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with LocalAwsProcess() as aws:
        made = World(aws.endpoint, SAMPLE).prepare()
        made.up()
        yield made


@pytest.fixture
def drift(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`lakemesh drift …` as the governance account."""
    mesh = world.declarations.mesh
    for name, value in {
        "AWS_ENDPOINT_URL": world.endpoint, "AWS_ACCESS_KEY_ID": mesh.central.account, "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": mesh.region,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)

    def run(*arguments: str, mesh: Path = SAMPLE) -> Result:
        return CliRunner().invoke(app, ["drift", *arguments, "--mesh", str(mesh)])

    return run


def told(result: Result) -> list[tuple[str, str, str]]:
    """(kind, change, name) of every difference."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return [(each["kind"], each["change"], each["name"]) for each in json.loads(result.stdout)["drift"]]


def test_a_fresh_deployment_has_no_drift(drift: Any) -> None:
    done = drift()
    assert done.exit_code == 0, done.output
    assert "Nothing differs from the declarations in 4 accounts." in done.stdout
    assert told(drift("--format", "json")) == []


def test_looking_writes_nothing(world: World, drift: Any) -> None:
    before = world.journal()
    drift()
    made = [entry for entry in world.journal()[len(before) :] if entry["service"] != "sts"]
    assert made == []


def test_the_accounts_answer_as_the_declarations_do(world: World, drift: Any) -> None:
    said = explained("treasury/cash-desk", "ar_invoice")
    assert "can read ar_curated.invoice\n  internal: invoice_number, due_date, open_amount" in said
    assert "granted directly by 111122223333" in said
    assert "missing first" in said


# ------------------------------------------------------------------------------------------------- made by hand
CENTRAL, CONSUMER, OTHER = "111122223333", "444455556666", "555566667777"
ANALYST, DESK = f"arn:aws:iam::{CONSUMER}:role/FinanceAnalyst", f"arn:aws:iam::{OTHER}:role/TreasuryCashDesk"
ASKED = ("finance-analytics/analyst", "ar_invoice", "open_amount")
INVOICE = {"DatabaseName": "ar_curated", "Name": "invoice"}
IBAN = {"TableWithColumns": {**INVOICE, "ColumnNames": ["direct_debit_iban"]}}


@pytest.fixture
def undo(drift: Any) -> Iterator[ExitStack]:
    """What a test has to take back, whatever comes of it; then nothing differs any more."""
    with ExitStack() as stack:
        yield stack
    assert told(drift("--format", "json")) == []


def explained(*question: str) -> str:
    done = CliRunner().invoke(app, ["explain", *question, "--live", "--mesh", str(SAMPLE)])
    assert done.exit_code == 0, done.output
    return done.stdout


def lake(world: World, account: str) -> Any:
    return world.root("lakeformation", account)


def principal(arn: str) -> dict[str, str]:
    return {"DataLakePrincipalIdentifier": arn}


def granted(world: World, account: str, undo: ExitStack, who: str, resource: Any, *permissions: str) -> None:
    given = {"Principal": principal(who), "Resource": resource, "Permissions": list(permissions)}
    lake(world, account).grant_permissions(**given)
    undo.callback(lake(world, account).revoke_permissions, **given)


def tagged(world: World, undo: ExitStack, resource: Any, value: str, before: str | None) -> None:
    here, tag = lake(world, CENTRAL), [{"TagKey": "sensitivity", "TagValues": [value]}]
    here.add_lf_tags_to_resource(Resource=resource, LFTags=tag)
    if before is None:
        undo.callback(here.remove_lf_tags_from_resource, Resource=resource, LFTags=tag)
    else:
        old = [{"TagKey": "sensitivity", "TagValues": [before]}]
        undo.callback(here.add_lf_tags_to_resource, Resource=resource, LFTags=old)


def test_a_grant_made_by_hand_is_unmanaged(world: World, drift: Any, undo: ExitStack) -> None:
    granted(world, CENTRAL, undo, ANALYST, {"Table": {"DatabaseName": "ar_raw", "TableWildcard": {}}}, "SELECT")
    name = f"{ANALYST}@{CENTRAL}_table_ar_raw.*"
    (grant, share) = told(drift("--format", "json"))
    assert grant == ("grant", "unmanaged", name)
    # Lake Formation has invited the role's account to a share of its own for it, which nobody has accepted.
    assert share[:2] == ("share", "missing")
    said = drift()
    assert said.exit_code == 1
    assert f"unmanaged grant: SELECT on {CENTRAL} table ar_raw.* to {ANALYST} is granted and not" in said.stdout
    assert told(drift("--account", "treasury", "--format", "json")) == []


def test_an_exception_covers_what_nobody_declared_until_it_ends(
    world: World, drift: Any, undo: ExitStack, mesh: Path
) -> None:
    aging = {"Table": {"CatalogId": CENTRAL, "DatabaseName": "ar_curated", "Name": "invoice_aging"}}
    granted(world, OTHER, undo, f"arn:aws:iam::{OTHER}:role/TreasuryPayments", aging, "DESCRIBE")
    file = mesh / "exceptions.yaml"
    text = """exceptions:
  - rule: drift-grant
    resource: "*:role/TreasuryPayments@*_table_ar_curated.invoice_aging"
    stack: consumer-treasury
    reason: Payments looks for aging invoices until the move (FIN-2).
    owner: "@acme/accounts-receivable"
    approver: nadia.berger@acme.example
    expires: {day}
"""
    file.write_text(text.replace("{day}", "2034-01-31"), encoding="utf-8")
    covered = drift(mesh=mesh)
    assert (covered.exit_code, "until 2034-01-31: Payments looks for aging invoices" in covered.stdout) == (0, True)
    file.write_text(text.replace("{day}", "2026-01-31"), encoding="utf-8")
    ended = drift(mesh=mesh)
    assert (ended.exit_code, "its exception ended on 2026-01-31" in ended.stdout) == (1, True)


def test_a_grant_taken_away_in_central_is_missing_there_and_leaves_the_consumers_without_ground(
    world: World, drift: Any, undo: ExitStack
) -> None:
    rows = lake(world, CENTRAL).list_permissions(ResourceType="LF_TAG_POLICY", Principal=principal(CONSUMER))
    row = next(one for one in rows["PrincipalResourcePermissions"] if "ar_invoice" in json.dumps(one["Resource"]))
    gone = {key: row[key] for key in ("Principal", "Resource", "Permissions", "PermissionsWithGrantOption")}
    lake(world, CENTRAL).revoke_permissions(**gone)
    undo.callback(lake(world, CENTRAL).grant_permissions, **gone)
    on = f"{CENTRAL}_TABLE_expression_product_IN_(ar_invoice)_AND_sensitivity_IN_(internal,_public)"
    assert told(drift("--format", "json")) == [
        ("grant", "missing", f"{CONSUMER}@{on}"),
        ("grant", "different", f"{ANALYST}@{on}"),
    ]
    assert f"itself is not granted it by {CENTRAL} any more" in drift("--account", "finance-analytics").stdout
    said = explained("finance-analytics/analyst", "ar_curated.invoice", "open_amount")
    assert "cannot read ar_curated.invoice" in said
    assert "is declared and not granted" in said
    assert "run\n    pulumi up --refresh --stack domain-ar" in said


def test_a_permission_that_was_added_is_different(world: World, drift: Any, undo: ExitStack) -> None:
    granted(world, OTHER, undo, DESK, {"Database": {"CatalogId": OTHER, "Name": "ar_curated"}}, "DROP")
    assert told(drift("--format", "json")) == [("grant", "different", f"{DESK}@{OTHER}_database_ar_curated")]
    assert "holds, undeclared, DROP" in drift().stdout


def test_a_tag_that_was_changed_is_different_and_one_on_a_table_unmanaged(
    world: World, drift: Any, undo: ExitStack
) -> None:
    tagged(world, undo, IBAN, "public", "restricted")
    tagged(world, undo, {"Table": INVOICE}, "internal", None)
    assert told(drift("--format", "json")) == [
        ("tag", "different", "ar_curated.invoice.direct_debit_iban/sensitivity"),
        ("tag", "unmanaged", "ar_curated.invoice/sensitivity"),
    ]


def test_settings_that_open_new_tables_or_name_another_administrator_are_found(
    world: World, drift: Any, undo: ExitStack
) -> None:
    here = lake(world, CENTRAL)
    before = here.get_data_lake_settings()["DataLakeSettings"]
    everyone = [{"Principal": principal("IAM_ALLOWED_PRINCIPALS"), "Permissions": ["ALL"]}]
    stranger = f"arn:aws:iam::{CENTRAL}:role/lakemesh-tag"
    opened = {
        "CreateTableDefaultPermissions": everyone,
        "DataLakeAdmins": [*before["DataLakeAdmins"], principal(stranger)],
    }
    here.put_data_lake_settings(DataLakeSettings={**before, **opened})
    undo.callback(here.put_data_lake_settings, DataLakeSettings=before)
    assert told(drift("--format", "json")) == [
        ("setting", "different", "default-permissions/tables"),
        ("setting", "unmanaged", f"administrator/{stranger}"),
    ]


def unlink(world: World, undo: ExitStack, account: str) -> list[dict[str, Any]]:
    """Delete a consumer's link ar_curated, and with it the grants on it, which are returned."""
    glue, here = world.root("glue", account), lake(world, account)
    link = {"Database": {"CatalogId": account, "Name": "ar_curated"}}
    rows = here.list_permissions(Resource=link)["PrincipalResourcePermissions"]
    lost = [{key: row[key] for key in ("Principal", "Resource", "Permissions")} for row in rows]
    target = {"CatalogId": CENTRAL, "DatabaseName": "ar_curated"}
    glue.delete_database(Name="ar_curated")
    for row in lost:
        undo.callback(here.grant_permissions, **row)
    undo.callback(glue.create_database, DatabaseInput={"Name": "ar_curated", "TargetDatabase": target})
    return lost


def test_a_link_that_was_deleted_is_missing_with_its_grants(world: World, drift: Any, undo: ExitStack) -> None:
    lost = unlink(world, undo, OTHER)
    holders = sorted(row["Principal"]["DataLakePrincipalIdentifier"] for row in lost)
    assert told(drift("--account", "treasury", "--format", "json")) == [
        *(("grant", "missing", f"{who}@{OTHER}_database_ar_curated") for who in holders),
        ("link", "missing", "link/ar_curated"),
    ]


def test_a_link_of_nobody_that_leads_to_central_is_unmanaged(world: World, drift: Any, undo: ExitStack) -> None:
    glue = world.root("glue", OTHER)
    target = {"CatalogId": CENTRAL, "DatabaseName": "no_such_database"}
    glue.create_database(DatabaseInput={"Name": "mine", "TargetDatabase": target})
    undo.callback(glue.delete_database, Name="mine")
    assert told(drift("--format", "json")) == [("link", "unmanaged", "link/mine")]
    assert "leads to nothing any more, and is not declared" in drift().stdout


def unnumbered(text: str) -> str:
    """Without what Lake Formation makes up: the end of a share's name."""
    return re.sub(r"(LakeFormation-V4-)\w+", r"\1…", text)


def test_the_page_shows_what_the_commands_say(world: World, drift: Any, undo: ExitStack) -> None:
    """Its two examples, after what they are about: a grant made by hand, and a link that somebody deleted."""
    shown = [tuple(text.split("\n", 1)) for text in blocks("access.md", "console")]
    granted(world, CENTRAL, undo, ANALYST, {"Table": {"DatabaseName": "ar_raw", "TableWildcard": {}}}, "SELECT")
    unlink(world, undo, CONSUMER)
    said = [
        ("$ lakemesh explain finance-analytics/analyst ar_invoice open_amount --live", explained(*ASKED)),
        ("$ lakemesh drift", drift().stdout),
    ]
    assert [unnumbered(text) for _, text in shown] == [unnumbered(text) for _, text in said]
    assert [command for command, _ in shown] == [command for command, _ in said]


# --------------------------------------------------------------------------------------------------------- misuse
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--account", "finance-analitics"), 'Did you mean "finance-analytics"?'),
        (("--account", "procurement"), "governed by IAM alone"),
    ],
)
def test_misuse_is_told(drift: Any, arguments: tuple[str, ...], said: str) -> None:
    done = drift(*arguments)
    assert (done.exit_code, said in done.stderr) == (2, True), done.output


def test_an_account_that_cannot_be_read_is_named_with_the_call_and_the_mend(
    drift: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", OTHER)
    done = drift("--account", "central")
    assert done.exit_code == 1
    assert "central (111122223333): sts:AssumeRole of arn:aws:iam::111122223333:role/lakemesh-deploy" in done.stderr
    assert "Use credentials of the governance account" in done.stderr
