"""Deployments that cannot work, other accounts and regions, and what is left when a mesh goes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lakemesh.demo import data
from lakemesh.demo.seed import fill_producer, guard
from lakemesh.deploy.run import DeployError
from tests.e2e.conftest import World

pytestmark = pytest.mark.e2e

ACCOUNTS = {
    "111122223333": "000000000017",
    "222233334444": "910000000002",
    "333344445555": "910000000003",
    "444455556666": "920000000004",
    "555566667777": "920000000005",
}


def test_a_domain_before_its_producer_is_told_what_to_deploy_first(fresh: World) -> None:
    fresh.up(None, "central")
    with pytest.raises(DeployError, match="producer-erp"):
        fresh.try_up(None, "domain-ar")


def test_a_failing_handler_fails_the_deployment_with_its_message_and_the_next_one_completes(
    reset: Callable[[], str], mesh: Path
) -> None:
    world = World(reset(), mesh).prepare(seeded=False)
    tables = data.tables(world.declarations)
    guard(world.declarations, world.clients)
    fill_producer(world.declarations, world.clients, tables, "erp")  # procurement has no databases yet
    world.up(None, "central", "producer-erp", "producer-procurement", "domain-ar")
    failed = world.try_up(None, "domain-ap", "consumer-treasury")
    assert not failed["domain-ap"].ok
    assert re.search(r"procurement_(raw|curated)", "\n".join(failed["domain-ap"].errors))
    assert not failed["consumer-treasury"].attempted
    fill_producer(world.declarations, world.clients, tables, "procurement")
    world.up()
    assert world.prove().differences == ()


def test_another_mesh_with_other_accounts_and_another_region_works(reset: Callable[[], str], mesh: Path) -> None:
    for path in mesh.rglob("*.yaml"):
        text = path.read_text()
        for old, new in (*ACCOUNTS.items(), ("eu-central-1", "us-east-1"), ("name: lakemesh", "name: orchard"),
                         ("acme-erp-lake", "other-erp"), ("acme-procurement-lake", "other-purchasing")):  # fmt: skip
            text = text.replace(old, new)
        path.write_text(text)
    world = World(reset(), mesh).prepare()
    assert {part.split(":")[4] for part in [world.declarations.consumers["treasury"].principals["payments"].role]} == {
        "920000000005"
    }
    world.up()
    assert world.prove().differences == ()


def test_destroying_everything_leaves_settings_and_the_producers_data(fresh: World) -> None:
    before = fresh.inventory()
    fresh.up()
    assert all(result.ok for result in fresh.destroy(exclude_protected=True))
    after = fresh.inventory()
    assert after == before
    mesh = fresh.declarations.mesh
    for account in (mesh.central.account, *(consumer.account for consumer in mesh.consumers.values())):
        settings = fresh.root("lakeformation", account).get_data_lake_settings()["DataLakeSettings"]
        assert settings["DataLakeAdmins"], "the account would be without an administrator"
        assert settings["CreateTableDefaultPermissions"] == [], "new tables would be open to everybody in IAM"
