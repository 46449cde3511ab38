"""What differs between the accounts and the declarations: missing, unmanaged, different. Pure.

Compares an account as it should be (`wanted`) with the account as it was read (`lakemesh.live`). Not drift, because
nobody granted it: what columns and tables inherit, and what Lake Formation lists of administrators and of whoever
created something (developer guide, "implicit-permissions"). Knows nothing of YAML, so that a function can carry it.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lakemesh.access.difference import Change, Drift, Expected, Waiver
from lakemesh.access.drift_catalog import databases, shares, tags
from lakemesh.access.drift_grants import filters, grants, settings
from lakemesh.access.observed import AccountState
from lakemesh.access.state import State


def drift(
    expected: Iterable[Expected], live: Mapping[str, AccountState], waivers: Iterable[Waiver], today: dt.date
) -> tuple[Drift, ...]:
    """Every difference of the accounts expected that were read too, sorted; those that an exception covers are marked.

    `live`: by account id. What needs a second account to be judged (a grant that was passed on, a link's target) is
    judged where both were read.
    """
    world = State({account: each.catalog for account, each in live.items()})
    found: set[Drift] = set()
    for one in expected:
        here = live.get(one.id)
        if here is None:
            continue
        for compare in (settings, grants, filters, tags, databases, shares):
            found.update(compare(one, here, world))
    given = tuple(waivers)
    return tuple(sorted(_judged(each, given, today) for each in found))


def _judged(found: Drift, waivers: tuple[Waiver, ...], today: dt.date) -> Drift:
    """With its exception, if it has one. Only what nobody declared can be excepted: what is declared and missing or
    different is mended, or not declared any more."""
    if found.change is not Change.UNMANAGED:
        return found
    matching = [
        each
        for each in waivers
        if each.rule == f"drift-{found.kind}"
        and fnmatch.fnmatchcase(found.name, each.resource)
        and fnmatch.fnmatchcase(found.stack, each.stack)
    ]
    in_force = [each for each in matching if today < each.expires]
    if in_force:
        longest = max(in_force, key=lambda each: each.expires)
        return replace(found, exception=f"until {longest.expires}: {longest.reason}")
    if matching:
        latest = max(matching, key=lambda each: each.expires)
        return replace(found, lapsed=f"its exception ended on {latest.expires}")
    return found
