"""docs/grants.md publishes the expansion; this holds the page to the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakemesh.access.expand import Entry, expand
from lakemesh.access.state import DatabaseResource, TableResource, TagPolicyResource
from tests.access.meshes import CENTRAL, CONSUMERS, TODAY, grant, mesh

PAGE = Path(__file__).parents[2] / "docs" / "grants.md"
ACCOUNT = CONSUMERS["lab"]


def published() -> dict[str, set[tuple[str, ...]]]:
    rows: dict[str, set[tuple[str, ...]]] = {}
    table = PAGE.read_text().partition("<!-- expansion: begin -->")[2].partition("<!-- expansion: end -->")[0]
    title = ""
    for line in table.strip().splitlines()[2:]:
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        title = first or title
        rows.setdefault(title, set()).add(tuple(cells))
    return rows


def said(side: str, entry: Entry, *, direct: bool) -> tuple[str, ...]:
    """An entry in the words of the page."""
    principal = "the principal" if direct else "each assigned principal"
    match entry.resource:
        case TagPolicyResource(expression=tags):
            assert [key for key, _ in tags] == ["product", "sensitivity"]
            named = "tables with `product=<product>` and `sensitivity` in the values named"
            what = named if side == "central" else "the identical expression"
        case TableResource():
            what = "each table of the product, by name"
        case DatabaseResource(catalog, database):
            link = "the database `default`" if database == "default" else "the resource link of each"
            what = "each twin database of the product" if catalog == CENTRAL else link
    who = "the consumer's account" if entry.principal == ACCOUNT else principal
    (permission,) = entry.permissions
    return side, who, what, permission, "yes" if entry.grantable else "no"


@pytest.mark.parametrize("access", ["read", "discover"])
@pytest.mark.parametrize("direct", [False, True], ids=["consumer", "principal"])
def test_the_published_expansion_is_what_the_code_does(access, direct):
    values = {"sensitivity": ["public", "internal"]} if access == "read" else {}
    given = grant("g", product="orders", to="lab/ana" if direct else "lab", access=access, **values)
    expansion = expand(mesh({"sales": [given]}, {} if direct else {"lab": {"g": ["ana", "bob"]}}), TODAY)
    done = {said("central", entry, direct=direct) for entry in expansion.central("sales")}
    done |= {said("consumer", entry, direct=direct) for entry in expansion.consumer("lab")}
    assert done == published()[f"`{access}` of a product, to a {'principal' if direct else 'consumer'}"]


def test_the_page_says_nothing_else():
    assert len(published()) == 4
