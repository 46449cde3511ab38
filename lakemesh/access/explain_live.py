"""The same question asked of the accounts themselves: may a principal read a column now, and if not, what keeps it.

The verdict is the evaluator's over what was read. Where the declarations say yes and the account says no, what is
missing first is the drift that lies on the way, in the order in which data travels. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lakemesh.access.difference import Change, Drift, Kind, named
from lakemesh.access.explain import ColumnAnswer, Step, Verdict, explain, verdict_of
from lakemesh.access.holders import Access
from lakemesh.access.matching import column_tags, every_column
from lakemesh.access.missing import Missing, Remedy
from lakemesh.access.observed import AccountState
from lakemesh.access.overview import Key
from lakemesh.access.state import DatabaseResource, DatabaseState, State, TableState, resource_key
from lakemesh.access.subject import Subject
from lakemesh.declarations.places import Places

_ON_THE_WAY: Final = (Kind.TAG, Kind.FILTER, Kind.GRANT, Kind.SHARE, Kind.LINK)


@dataclass(frozen=True)
class Live:
    """What was read of the accounts that matter, and how it differs from the declarations."""

    accounts: Mapping[str, AccountState]
    drift: tuple[Drift, ...]

    @property
    def state(self) -> State:
        return State({account: each.catalog for account, each in self.accounts.items()})


def explain_live(access: Access, live: Live, places: Places, subject: Subject, key: Key, column: str) -> ColumnAnswer:
    """The answer about one column. Raises KeyError for a table or column that no contract lists."""
    declared = explain(access, places, subject, key, column)
    verdict, reasons = verdict_of(live.state, subject, key, column)
    chain: tuple[Step, ...] = ()
    if verdict is not Verdict.DENIED:
        chain = (_carries(access, live, declared, key), *(Step(reason) for reason in reasons))
        if _rank(verdict) > _rank(declared.verdict):
            chain = (*chain, Step("nobody declared that: `lakemesh drift` shows what is there without a declaration"))
    if verdict is Verdict.READ:
        missing = None
    elif _rank(verdict) < _rank(declared.verdict):
        missing = _lost(access, live, subject, key, declared, reasons)
    else:
        missing = declared.missing
    return replace(declared, verdict=verdict, chain=chain, missing=missing)


def _rank(verdict: Verdict) -> int:
    return (Verdict.DENIED, Verdict.DISCOVER, Verdict.READ).index(verdict)


def _found(access: Access, live: Live, key: Key) -> tuple[DatabaseState | None, TableState | None]:
    database = live.accounts[access.declarations.mesh.central.account].catalog.databases.get(key[0])
    return database, database.tables.get(key[1]) if database else None


def _carries(access: Access, live: Live, declared: ColumnAnswer, key: Key) -> Step:
    """LF-Tags of the column as they are, inherited ones among them."""
    database, table = _found(access, live, key)
    if database is None or table is None:
        return Step(f"{declared.table}.{declared.column} is not in the central catalog", declared.place)
    tags = column_tags(database, table, declared.column)
    text = ", ".join(f"{name}={value}" for name, value in sorted(tags.items())) or "no LF-Tag"
    return Step(f"{declared.table}.{declared.column} carries {text}", declared.place)


# ------------------------------------------------------------------------------------------------------- what is lost
def _lost(
    access: Access, live: Live, subject: Subject, key: Key, declared: ColumnAnswer, reasons: tuple[str, ...]
) -> Missing:
    """The first difference between the accounts and the declarations that keeps the principal from the column."""
    _, table = _found(access, live, key)
    if table is None or declared.column not in every_column(table):
        what = declared.table if table is None else f"{declared.table}.{declared.column}"
        says, run = f"the central catalog has no {what}", f"lakemesh sync run --table {declared.table}"
        return Missing(Remedy.DEPLOY, says, declared.place, run, declared.table)
    for each in _on_the_way(access, live, subject, key, declared.column):
        return Missing(Remedy.DEPLOY, each.says, declared.place, each.mend, each.stack)
    domain = access.tables[key][0].domain
    says = f"the declarations let it through, and the accounts do not: {'; '.join(reasons)}"
    return Missing(
        Remedy.DEPLOY, says, declared.place, f"pulumi up --refresh --stack domain-{domain}", f"domain-{domain}"
    )


def _on_the_way(access: Access, live: Live, subject: Subject, key: Key, column: str) -> Iterator[Drift]:
    twin, table = key
    owner = access.declarations.mesh.central.account
    grants = set(_grants(access, subject, key, column))
    places = {twin, f"{twin}.{table}", f"{twin}.{table}.{column}"}
    concerned: Mapping[Kind, Callable[[Drift], bool]] = {
        Kind.TAG: lambda each: each.name.rpartition("/")[0] in places,
        Kind.FILTER: lambda each: each.name.startswith(f"{twin}.{table}/"),
        Kind.GRANT: lambda each: each.change is not Change.UNMANAGED and each.name in grants,
        Kind.SHARE: lambda each: each.account == subject.account,
        Kind.LINK: lambda each: each.account == subject.account and each.name == f"link/{twin}",
    }
    for kind in _ON_THE_WAY:
        those = [each for each in live.drift if each.kind is kind and concerned[kind](each)]
        # The governance account's first: what a consumer passes on stands on it.
        yield from sorted(those, key=lambda each: (each.account != owner, each))


def _grants(access: Access, subject: Subject, key: Key, column: str) -> Iterable[str]:
    """Names, as drift has them, of the grants that the column is read by: to the role, and to its account."""
    owner = access.declarations.mesh.central.account
    databases = {DatabaseResource(owner, key[0]), DatabaseResource(subject.account, key[0])}
    for who in (subject.role, subject.account):
        for entry in access.entries.get(who, ()):
            if entry.resource in databases or column in access.overview.reached(entry.resource).get(key, ()):
                yield named(f"{who}@{resource_key(entry.resource)}")
