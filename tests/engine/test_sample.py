"""The sample, deployed by Pulumi's own engine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lakemesh.deploy.arguments import Arguments
from lakemesh.deploy.parts import parts
from lakemesh.deploy.results import Counts, StackResult
from tests.e2e.conftest import World
from tests.e2e.test_sample import without
from tests.engine.clouds import dump
from tests.engine.conftest import Mesh

AGING = "table-ar_curated-invoice_aging-555566667777"
"""The start of the name of the grant that lets one account discover one table."""
INVOICES = "read-ar_invoice-444455556666"


def counts(results: dict[str, StackResult]) -> dict[str, Counts]:
    return {stack: result.counts for stack, result in results.items()}


def test_every_stack_is_previewed_before_anything_is_there(deployed: Mesh) -> None:
    previewed, made = deployed.recorded["preview"], deployed.recorded["first"]
    assert list(previewed) == [part.stack for part in parts(deployed.world.declarations)]
    assert counts(previewed) == counts(made), "what a preview says is what happens"


def test_a_second_up_changes_nothing(deployed: Mesh) -> None:
    first, second = deployed.recorded["first"], deployed.recorded["second"]
    assert counts(second) == {stack: Counts(unchanged=one.counts.created) for stack, one in first.items()}


def test_a_refresh_finds_nothing_changed(deployed: Mesh) -> None:
    changed = {stack: (one.counts.updated, one.counts.deleted) for stack, one in deployed.recorded["refresh"].items()}
    assert set(changed.values()) == {(0, 0)}


def test_outputs_are_those_of_the_program(deployed: Mesh) -> None:
    outputs = deployed.recorded["first"]["domain-ar"].outputs
    assert outputs == {"databases": ["ar_curated", "ar_raw"]}


def test_both_engines_leave_the_same_accounts(deployed: Mesh, reset: Any) -> None:
    world = World(reset(), deployed.world.directory).prepare()
    world.up()
    by_process = dump(world.declarations, world.clients)
    for place, held in deployed.cloud.items():
        assert held == by_process[place], place
    assert sum(map(len, by_process.values())) > 300


# ------------------------------------------------------------------------------------------------- changes to a domain
@dataclass
class Edited:
    """The domain `ar`, after one grant was edited, one removed, and one got another list of permissions."""

    preview: StackResult
    result: StackResult
    journal: list[dict[str, Any]]


@pytest.fixture(scope="session")
def edited(deployed: Mesh, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """What became of an edit, which is undone again before any test looks."""
    directory = Path(shutil.copytree(deployed.world.directory, tmp_path_factory.mktemp("edited") / "mesh"))
    grants = directory / "grants" / "ar.yaml"
    text = grants.read_text()
    place = text.index("sensitivity", text.index("id: ar-invoice-finance-analytics"))
    grants.write_text(text[:place] + text[place:].replace("[public, internal]", "[internal]", 1))
    without(grants, "grants", "id", "ar-cash-application-treasury")
    without(directory / "consumers" / "treasury.yaml", "assignments", "grant", "ar-cash-application-treasury")
    before = len(deployed.world.journal())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Arguments, "_entry", staticmethod(_with_select(Arguments._entry)))
        preview = deployed.up("domain-ar", mesh=directory, preview=True)["domain-ar"]
        result = deployed.up("domain-ar", mesh=directory)["domain-ar"]
    done = Edited(preview, result, deployed.world.journal(before))
    deployed.up("domain-ar", "consumer-finance-analytics", "consumer-treasury")
    return done


def _with_select(entry: Any) -> Any:
    """No edit of YAML gives one key another list of permissions today; a later version of the expansion may."""

    def changed(one: Any) -> Any:
        permissions = ("DESCRIBE", "SELECT") if one.name.startswith(AGING) else one.permissions
        return entry(replace(one, permissions=permissions))

    return changed


def grants(journal: list[dict[str, Any]], principal: str, table: str) -> list[tuple[str, list[str]]]:
    """GrantPermissions and RevokePermissions of a principal that name something, in order, with the permissions."""
    return [
        (entry["operation"], entry["parameters"]["Permissions"])
        for entry in journal
        if entry["operation"] in {"GrantPermissions", "RevokePermissions"}
        and entry["error"] is None
        and entry["parameters"]["Principal"]["DataLakePrincipalIdentifier"] == principal
        and table in str(entry["parameters"]["Resource"])
    ]


def changes(result: StackResult) -> dict[str, list[str]]:
    """Names of what was changed, by operation, without what hangs on their digests."""
    found: dict[str, list[str]] = {}
    for change in result.changes:
        if change.type == "aws:lakeformation/permissions:Permissions":
            found.setdefault(change.op, []).append(change.name)
    return found


def test_an_edited_grant_is_created_before_the_old_one_is_deleted(edited: Edited) -> None:
    done = changes(edited.result)
    assert [name for name in done["create"] if name.startswith(INVOICES)] == done["create"]
    assert grants(edited.journal, "444455556666", "ar_invoice") == [
        ("GrantPermissions", ["SELECT"]),
        ("RevokePermissions", ["SELECT"]),
    ]


def test_a_removed_grant_is_revoked(edited: Edited) -> None:
    assert any(name.startswith("read-cash_application-555566667777") for name in changes(edited.result)["delete"])
    assert ("RevokePermissions", ["SELECT"]) in grants(edited.journal, "555566667777", "cash_application")


def test_a_changed_permission_list_interrupts_access_and_preview_announces_it(edited: Edited) -> None:
    (said,) = edited.preview.interrupted
    assert said == (
        "555566667777 loses DESCRIBE on table invoice_aging of database ar_curated "
        "until DESCRIBE, SELECT is granted there."
    )
    (replaced,) = changes(edited.result)["replace"]
    assert replaced.startswith(AGING)
    assert grants(edited.journal, "555566667777", "invoice_aging") == [
        ("RevokePermissions", ["DESCRIBE"]),
        ("GrantPermissions", ["DESCRIBE", "SELECT"]),
    ]


def test_the_preview_of_an_edit_says_what_happens(edited: Edited) -> None:
    assert edited.preview.counts == edited.result.counts
    assert changes(edited.preview).keys() == {"create", "replace", "delete"}


# ------------------------------------------------------------------------------------------------------- other changes
def test_a_renamed_component_replaces_nothing(deployed: Mesh) -> None:
    program = deployed.engine._root / "__main__.py"
    text = program.read_text()
    old = "ProducerAccount(part.stack, arguments.producer(part.name), opts)"
    new = (
        'ProducerAccount("renamed", arguments.producer(part.name), '
        "pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=part.stack)])))"
    )
    assert old in text
    program.write_text(text.replace(old, new))
    try:
        result = deployed.up("producer-procurement", preview=True)["producer-procurement"]
    finally:
        program.write_text(text)
    assert result.counts.unchanged == deployed.recorded["first"]["producer-procurement"].counts.created
    assert not result.changes


def test_grants_on_a_table_that_was_recreated_are_missed_by_refresh_and_made_again(deployed: Mesh) -> None:
    central = deployed.world.declarations.mesh.central.account
    glue = deployed.world.root("glue", central)
    table = glue.get_table(DatabaseName="ar_curated", Name="invoice_aging")["Table"]
    members = set(glue.meta.service_model.shape_for("TableInput").members)
    glue.delete_table(DatabaseName="ar_curated", Name="invoice_aging")
    glue.create_table(DatabaseName="ar_curated", TableInput={key: table[key] for key in table.keys() & members})
    assert deployed.refresh("domain-ar")["domain-ar"].counts.deleted >= 1
    again = changes(deployed.up("domain-ar")["domain-ar"])
    assert [name for name in again["create"] if name.startswith(AGING)]
    assert again.keys() == {"create"}


def test_drift_is_seen_by_refresh_and_mended_by_up(deployed: Mesh) -> None:
    logs = deployed.world.root("logs", deployed.world.declarations.mesh.central.account)
    name = next(one["outputs"]["name"] for one in deployed.state("central") if one["type"].endswith(":LogGroup"))
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    assert deployed.refresh("central")["central"].counts.updated == 1
    (change,) = deployed.up("central")["central"].changes
    assert (change.op, change.properties) == ("update", ("retentionInDays",))
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["retentionInDays"] != 7


def test_destroy_leaves_the_data_lake_settings(deployed: Mesh) -> None:
    stack = "consumer-treasury"
    account = deployed.world.declarations.mesh.consumers["treasury"].account
    lake = deployed.world.root("lakeformation", account)
    before = lake.get_data_lake_settings()["DataLakeSettings"]
    file = deployed.engine._root / f"Pulumi.{stack}.yaml"
    text = file.read_text()
    refused = deployed.engine.down(stack, None, exclude_protected=False)
    assert any("protected" in error for error in refused.errors)
    file.write_text(f"{text}\n  lakemesh:protect: false\n")
    try:
        deployed.up(stack)
        result = deployed.engine.down(stack, None, exclude_protected=False)
    finally:
        file.write_text(text)
    assert result.errors == ()
    assert {change.op for change in result.changes} == {"delete", "retain"}
    assert [change.type for change in result.changes if change.op == "retain"] == [
        "aws:lakeformation/dataLakeSettings:DataLakeSettings"
    ]
    assert lake.get_data_lake_settings()["DataLakeSettings"] == before
    links = deployed.world.root("glue", account).get_databases()["DatabaseList"]
    assert [link["Name"] for link in links if "TargetDatabase" in link] == []
    deployed.up(stack)
