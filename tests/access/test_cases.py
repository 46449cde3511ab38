"""Verdicts written by hand from AWS's pages, in cases/*.yaml: the evaluator against the documentation, case by case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from lakemesh.access.evaluate import database_access, holds, may_grant, table_access
from lakemesh.access.state import (
    IAM_ALLOWED_PRINCIPALS,
    CatalogResource,
    CatalogState,
    ColumnsResource,
    DatabaseResource,
    DatabaseState,
    DataFilter,
    DataFilterResource,
    DataLocationResource,
    Permission,
    Resource,
    State,
    TableResource,
    TableState,
    TagPolicyResource,
    TagResource,
    expression,
)

OWNER, CONSUMER, OTHER = "100000000001", "200000000002", "300000000003"
PEOPLE: Final = {
    "admin": f"arn:aws:iam::{OWNER}:role/Admin",
    "local": f"arn:aws:iam::{OWNER}:role/Local",
    "sync": f"arn:aws:iam::{OWNER}:role/Sync",  # created the table
    "tagger": f"arn:aws:iam::{OWNER}:role/Tagger",  # created the LF-Tag sensitivity
    "everyone": IAM_ALLOWED_PRINCIPALS,
    "consumer": CONSUMER,
    "consumer-admin": f"arn:aws:iam::{CONSUMER}:role/Admin",
    "analyst": f"arn:aws:iam::{CONSUMER}:role/Analyst",
    "colleague": f"arn:aws:iam::{CONSUMER}:role/Colleague",
    "other": OTHER,
    "stranger": f"arn:aws:iam::{OTHER}:role/Stranger",
}
COLUMNS: Final = ("id", "amount", "iban", "note", "day")
TAGS: Final[Mapping[str, Any]] = {
    "database": {"domain": "sales", "sensitivity": "unreviewed"},
    "table": {"product": "orders"},
    "columns": {
        "id": {"sensitivity": "internal"},
        "amount": {"sensitivity": "internal"},
        "iban": {"sensitivity": "restricted"},
        "day": {"sensitivity": "internal"},
    },
}
CASES: Final = [
    pytest.param(case, id=f"{file.stem}: {case['name']}")
    for file in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def resource(text: str) -> Resource:
    kind, *words = text.split()
    pairs = {key: values.split("|") for key, _, values in (word.partition("=") for word in words)}
    match kind:
        case "catalog":
            return CatalogResource(OWNER)
        case "database":
            return DatabaseResource(OWNER, words[0] if words else "sales")
        case "link":
            return DatabaseResource(CONSUMER, "sales")
        case "table":
            return TableResource(OWNER, "sales", words[0] if words else "orders")
        case "tables":
            return TableResource(OWNER, "sales", None)
        case "only":
            return ColumnsResource(OWNER, "sales", "orders", frozenset(words))
        case "without":
            return ColumnsResource(OWNER, "sales", "orders", None, frozenset(words))
        case "filter":
            return DataFilterResource(OWNER, "sales", "orders", words[0])
        case "expr" | "databases":
            return TagPolicyResource(OWNER, "TABLE" if kind == "expr" else "DATABASE", expression(pairs))
        case "tag":
            ((key, values),) = pairs.items()
            return TagResource(OWNER, key, frozenset(values))
        case "location":
            return DataLocationResource(OWNER, words[0])
    raise AssertionError(text)


def row(text: str) -> Permission:
    """`<who> <PERMISSION> on <resource>[ with grant option]`"""
    plain = text.removesuffix(" with grant option")
    who, permission, rest = plain.split(" ", 2)
    names = frozenset({permission})
    return Permission(PEOPLE[who], resource(rest.removeprefix("on ")), names, names if plain != text else frozenset())


def world(case: Mapping[str, Any]) -> State:
    tags = case.get("tags", TAGS)
    keys = tuple(case.get("partitions", ["day"]))
    creators = {"table": "sync", **case.get("creator", {})}
    table = TableState(
        columns=tuple(name for name in COLUMNS if name not in keys),
        partition_keys=keys,
        tags=tags.get("table", {}),
        column_tags=tags.get("columns", {}),
        creator=PEOPLE[creators["table"]],
        filters={name: shown(**each) for name, each in case.get("filters", {}).items()},
    )
    owner = CatalogState(
        OWNER,
        administrators=frozenset({PEOPLE["admin"]}),
        permissions=frozenset(map(row, case.get("given", ()))),
        databases={
            "sales": DatabaseState(
                tags.get("database", {}), {"orders": table}, creator=PEOPLE.get(creators.get("database", ""))
            )
        },
        tag_creators={"sensitivity": PEOPLE["tagger"]},
    )
    consumer = CatalogState(
        CONSUMER,
        administrators=frozenset({PEOPLE["consumer-admin"]}),
        permissions=frozenset(map(row, case.get("local", ()))),
        databases={"sales": DatabaseState(link_to=(OWNER, "sales"))} if case.get("linked", True) else {},
        shares_accepted_from=frozenset({OWNER} if case.get("accepted", True) else ()),
    )
    return State({OWNER: owner, CONSUMER: consumer, OTHER: CatalogState(OTHER)})


def shown(include: Any = None, exclude: Any = (), rows: str | None = None) -> DataFilter:
    return DataFilter(frozenset(include) if include else None, frozenset(exclude), rows)


def columns(said: str | list[str]) -> set[str]:
    return {"all": set(COLUMNS), "none": set()}[said] if isinstance(said, str) else set(said)


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_is_the_one_of_the_page(case: Mapping[str, Any]) -> None:
    state, ask = world(case), case["ask"]
    who = PEOPLE[ask["who"]]
    local = f":{CONSUMER}:" in who and ask.get("via") != "target"
    if "read" in ask:
        access = table_access(state, who, CONSUMER if local else OWNER, "sales", "orders")
        assert access.selectable == columns(ask["read"])
        assert access.visible == columns(ask.get("see", ask["read"]))
    if "rows" in ask:
        said = {
            name: set(each)
            for names, each in ask["rows"].items()
            for name in columns("all" if names == "all" else [names])
        }
        assert access.rows == said
    if "shown" in ask:
        assert database_access(state, who, OWNER, "sales").described == ask["shown"]
    for text, verdict in ask.get("holds", {}).items():
        permission, _, rest = text.partition(" on ")
        assert holds(state, who, resource(rest), permission) == verdict, text
    for text, verdict in ask.get("grants", {}).items():
        assert (may_grant(state, who, row(text)) is None) == verdict, text


def test_there_are_enough_cases_and_each_says_whose_page_it_follows() -> None:
    cases = [case.values[0] for case in CASES]
    assert len(cases) >= 80
    assert len({case["name"] for case in cases}) == len(cases)
    assert all(
        set(case)
        <= {"name", "page", "given", "local", "tags", "partitions", "accepted", "linked", "creator", "ask", "filters"}
        for case in cases
    )
    assert all(case["page"] for case in cases)
