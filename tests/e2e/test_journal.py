"""Nobody gains or loses access in between: access is evaluated after every single call of a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.evaluate import table_access
from lakemesh.access.state import State
from lakemesh.demo.edit import edited_copy
from lakemesh.demo.expected import Expected, Verdict
from tests.e2e import replay

pytestmark = pytest.mark.e2e
Access = frozenset[tuple[str, str, str]]
"""(principal, table, column) that Athena would return."""


def readable(expected: Expected) -> Access:
    return frozenset(
        (who, table, column)
        for who, tables in expected.verdicts.items()
        for table, verdicts in tables.items()
        for column, verdict in verdicts.items()
        if verdict is Verdict.READ
    )


def access(state: State, roles: Mapping[str, str], tables: Iterable[str]) -> Access:
    """What every principal could read through the links in its own account."""
    found = set()
    for who, role in roles.items():
        account = role.split(":")[4]
        links = state.catalogs[account].databases if account in state.catalogs else {}
        for table in tables:
            database, _, name = table.partition(".")
            if database in links:
                selectable = table_access(state, role, account, database, name).selectable
                found |= {(who, table, column) for column in selectable}
    return frozenset(found)


def roles_of(world: Any) -> dict[str, str]:
    return {
        f"{name}/{alias}": principal.role
        for name, consumer in world.declarations.consumers.items()
        for alias, principal in consumer.principals.items()
    }


def test_no_call_of_a_deployment_widens_access_beyond_what_was_granted(deployed) -> None:
    expected = deployed.expected()
    granted, now = readable(expected), frozenset()
    for entry, state in replay.states(deployed.first_deployment):
        now = access(state, roles_of(deployed), expected.tables)
        assert now <= granted, f"{entry['operation']} {entry['parameters']} opened {sorted(now - granted)}"
    assert now == granted


def test_an_edit_interrupts_nobody_who_keeps_access_and_opens_nothing_else(restored, tmp_path: Path) -> None:
    expected = restored.expected()
    assert expected.edit is not None
    before, after = readable(expected), readable(expected.after_edit())
    start = len(restored.journal())
    directory, _ = edited_copy(restored.directory, tmp_path, expected.edit)
    restored.up(directory)
    now = before
    for entry, state in replay.states(restored.journal()):
        if entry["sequence"] < start:
            continue
        now = access(state, roles_of(restored), expected.tables)
        assert now <= before | after, (
            f"{entry['operation']} {entry['parameters']} opened {sorted(now - before - after)}"
        )
        assert now >= before & after, f"{entry['operation']} {entry['parameters']} cut {sorted((before & after) - now)}"
    assert now == after
