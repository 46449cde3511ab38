"""Grants that name columns or rows: what they become, what is refused of them, and who reads what in the end."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from lakemesh.access.check import load_mesh, problems
from lakemesh.access.diff import compare
from lakemesh.access.evaluate import table_access
from lakemesh.access.expand import Entry, expand
from lakemesh.access.holders import Access
from lakemesh.access.state import DatabaseResource, DataFilterResource
from lakemesh.declarations.models import Column, Declarations, Quotas, Sensitivity, Table
from tests.access.meshes import CENTRAL, CONSUMERS, ROLES, TODAY, grant, mesh
from tests.access.test_check import add_grant, directory, edit, found, quota
from tests.access.test_check import grant as written

__all__ = ["directory"]

ANA = ROLES["lab"]["ana"]
DAY = dt.date(2026, 11, 1)


def filtered(id_: str = "g", **values: Any) -> Any:
    return grant(id_, **{"product": "returns", "to": "lab/ana", "sensitivity": ["public", "internal"], **values})


def on_filters(declarations: Declarations) -> list[Entry]:
    entries = expand(declarations, TODAY).central("sales")
    return [entry for entry in entries if isinstance(entry.resource, DataFilterResource)]


# -------------------------------------------------------------------------------------------------------- expansion
def test_a_grant_with_columns_is_select_on_a_filter_straight_to_the_principal() -> None:
    given = mesh({"sales": [filtered(columns={"returns": ["public"]})]})
    (entry,) = on_filters(given)
    (made,) = expand(given, TODAY).filters("sales")
    assert (entry.principal, entry.permissions, entry.grantable) == (ANA, ("SELECT",), ())
    assert entry.resource == made.resource
    assert (made.resource.catalog, made.resource.database, made.resource.table) == (CENTRAL, "sales_curated", "returns")
    assert (made.columns, made.rows) == (("public",), None)


def test_the_principal_gets_what_a_query_needs_beside_it() -> None:
    made = expand(mesh({"sales": [filtered(rows="public = 'a'")]}), TODAY)
    account = CONSUMERS["lab"]
    databases = {entry.resource for entry in made.consumer("lab") if entry.principal == ANA}
    assert databases == {
        DatabaseResource(CENTRAL, "sales_curated"),
        DatabaseResource(account, "sales_curated"),
        DatabaseResource(account, "default"),
    }


def test_no_tag_expression_is_granted_for_it() -> None:
    made = expand(mesh({"sales": [filtered(rows="public = 'a'")]}), TODAY)
    selecting = [entry for entry in (*made.central("sales"), *made.consumer("lab")) if "SELECT" in entry.permissions]
    assert {type(entry.resource) for entry in selecting} == {DataFilterResource}


def test_without_columns_a_filter_names_those_of_its_sensitivities_one_by_one() -> None:
    """So that a column that is new tomorrow is in no filter."""
    (made,) = expand(mesh({"sales": [filtered(rows="public = 'a'")]}), TODAY).filters("sales")
    assert made.columns == ("internal", "public")
    assert made.rows == "\"public\" = 'a'"


def test_excluded_columns_are_left_out_of_the_list() -> None:
    (made,) = expand(mesh({"sales": [filtered(exclude={"returns": ["internal"]})]}), TODAY).filters("sales")
    assert made.columns == ("public",)


def test_every_table_of_the_product_goes_by_a_filter() -> None:
    made = expand(mesh({"sales": [filtered(product="orders", columns={"orders": ["public"]})]}), TODAY).filters("sales")
    assert {each.resource.table: each.columns for each in made} == {
        "orders": ("public",),
        "orders_daily": ("internal", "public"),
    }


def test_grants_that_ask_for_the_same_share_one_filter_and_merge_on_one_key() -> None:
    given = [
        filtered("a", rows="public = 'x'"),
        filtered("b", rows={"returns": "(public='x')"}),
        filtered("c", to="lab/bob", rows="public = 'x'"),
    ]
    declarations = mesh({"sales": given})
    assert len(expand(declarations, TODAY).filters("sales")) == 1
    assert {entry.principal: entry.grants for entry in on_filters(declarations)} == {
        ANA: ("a", "b"),
        ROLES["lab"]["bob"]: ("c",),
    }


def test_another_condition_is_another_filter_so_that_the_new_is_there_before_the_old_one_goes() -> None:
    names = {
        made.resource.name
        for rows in ("public = 'x'", "public = 'y'")
        for made in expand(mesh({"sales": [filtered(rows=rows)]}), TODAY).filters("sales")
    }
    assert len(names) == 2


def test_renaming_a_grant_renames_neither_filter_nor_entry() -> None:
    before, after = (mesh({"sales": [filtered(id_, rows="public = 'x'")]}) for id_ in ("before", "after"))
    assert expand(before, TODAY).filters("sales") == expand(after, TODAY).filters("sales")
    assert on_filters(before)[0].name == on_filters(after)[0].name


def test_an_unreviewed_partition_key_keeps_the_whole_table_out() -> None:
    """As with LF-Tags: whoever reads a column reads the partition keys too."""
    columns = (
        Column(name="id", type="string", sensitivity=Sensitivity.PUBLIC),
        Column(name="day", type="string", partition_key=1),
    )
    table = Table(name="t", producer="plant", database="sales_curated", twin="sales_curated", columns=columns)
    given = mesh({"sales": [filtered(rows="id = 'a'")]}, products={"returns": ("sales", (table,))})
    assert expand(given, TODAY).filters("sales") == ()


def test_an_expired_grant_leaves_neither_filter_nor_entry() -> None:
    given = mesh({"sales": [filtered(rows="public = 'a'", expires=TODAY)]})
    assert expand(given, TODAY).filters("sales") == ()
    assert on_filters(given) == []


# ------------------------------------------------------------------------------------------------------ who reads what
def test_what_is_declared_is_what_the_evaluator_says_of_columns_and_rows() -> None:
    access = Access(mesh({"sales": [filtered(columns={"returns": ["public"]}, rows="internal = 'b'")]}), TODAY)
    found_ = table_access(access.state, ANA, CONSUMERS["lab"], "sales_curated", "returns")
    assert found_.selectable == {"public"}
    assert found_.rows == {"public": {"\"internal\" = 'b'"}}
    (holder,) = [each for each in access.principals if each.id == ANA]
    assert access.of(holder)["sales_curated", "returns"].rows == found_.rows


def test_the_account_of_the_principal_gets_nothing() -> None:
    access = Access(mesh({"sales": [filtered(rows="public = 'a'")]}), TODAY)
    assert all(not access.of(holder) for holder in access.holders.values() if holder.id != ANA)


def test_two_grants_with_conditions_read_the_rows_of_either() -> None:
    given = [filtered("a", rows="public = 'x'"), filtered("b", rows="public = 'y'")]
    access = Access(mesh({"sales": given}), TODAY)
    (holder,) = [each for each in access.principals if each.id == ANA]
    assert access.of(holder)["sales_curated", "returns"].rows["public"] == {"\"public\" = 'x'", "\"public\" = 'y'"}


# ------------------------------------------------------------------------------------------------------------ checks
INVOICES: dict[str, Any] = {"product": "ar_invoice", "to": "treasury/payments", "sensitivity": ["public", "internal"]}
WRONG = [
    ({"rows": "curency = 'EUR'"}, "row-filter", "rows", 'no column "curency". Did you mean "currency"?'),
    ({"rows": "currency = 3"}, "row-filter", "rows", "compared with the number 3"),
    ({"rows": "currency = "}, "row-filter", "rows", "cannot be read"),
    ({"rows": {"invoice": "lower(currency) = 'eur'"}}, "row-filter", "rows.invoice", "starts with a column"),
    ({"rows": {"invoices": "currency = 'EUR'"}}, "unknown-reference", "rows.invoices", 'Did you mean "invoice"?'),
    ({"columns": {"invoices": ["currency"]}}, "unknown-reference", "columns.invoices", 'no table "invoices"'),
    ({"columns": {"invoice": ["curency"]}}, "unknown-reference", "columns.invoice[0]", 'Did you mean "currency"?'),
    ({"columns": {"invoice": ["currency", "currency"]}}, "duplicate-value", "columns.invoice[1]", "stands here twice"),
    ({"columns": {"invoice": ["dunning_note"]}}, "filter-unreviewed", "columns.invoice[0]", "Nobody has reviewed"),
    (
        {"columns": {"invoice": ["currency", "customer_name"]}},
        "filter-beyond-approval",
        "columns.invoice[1]",
        '"customer_name" is confidential, and the grant was approved for [public, internal]',
    ),
    ({"columns": {"invoice": ["address.city"]}}, "unknown-reference", "columns.invoice[0]", "whole columns only"),
    (
        {"columns": {"invoice": ["currency"]}, "exclude": {"invoice": ["due_date"]}},
        "filter-form",
        "exclude.invoice",
        "under `columns` and under `exclude`",
    ),
    (
        {"exclude": {"invoice": ["currency"]}, "sensitivity": ["public"]},
        "filter-nothing",
        "",
        'Nothing of "invoice" is left',
    ),
    ({"to": "treasury", "rows": "currency = 'EUR'"}, "filter-to-account", "to", "to: treasury/<principal>"),
    ({"rows": "currency = 'EUR'", "access": "discover", "sensitivity": []}, "filter-form", "rows", "discover shows"),
    ({"product": "invoice_aging", "rows": "currency = 'EUR'"}, "filter-on-view", "product", "is a view"),
]


@pytest.mark.parametrize(("values", "rule", "path", "reason"), WRONG)
def test_what_is_wrong_is_refused_with_place_and_reason(
    directory: Path, values: dict[str, Any], rule: str, path: str, reason: str
) -> None:
    add_grant(directory, "ar", written("g", **{**INVOICES, **values}))
    index = sum(line.startswith("- id:") for line in (directory / "grants/ar.yaml").read_text().splitlines()) - 1
    problem = found(directory, rule)
    assert (problem.file, problem.path) == ("mesh/grants/ar.yaml", f"grants[{index}].{path}".rstrip("."))
    assert reason in problem.message
    assert "\n" in problem.message or rule in {"duplicate-value", "unknown-reference"}, "says how to mend it"


def test_a_filter_on_tables_by_tag_is_refused(directory: Path) -> None:
    values = {**INVOICES, "tags": {"process": ["record-to-report"]}, "rows": "currency = 'EUR'"}
    del values["product"]
    add_grant(directory, "ar", written("g", **values))
    assert "one product's tables" in found(directory, "filter-form").message


def test_a_partition_key_cannot_be_excluded(directory: Path) -> None:
    values = {**INVOICES, "product": "vendor_payment", "to": "finance-analytics/intern"}
    values |= {"approvedBy": "ines.moreau@acme.example", "exclude": {"vendor_payment": ["payment_month"]}}
    add_grant(directory, "ap", written("g", **values))
    problem = found(directory, "filter-partition-key")
    assert problem.path.endswith("exclude.vendor_payment[0]")
    assert "cannot be withheld" in problem.message


@pytest.mark.parametrize(
    ("to", "who"),
    [("finance-analytics/controller", "the same principal"), ("finance-analytics/intern", "its whole account")],
)
def test_a_filter_beside_a_tag_select_is_refused(directory: Path, to: str, who: str) -> None:
    add_grant(directory, "ar", written("g", **{**INVOICES, "to": to, "rows": "currency = 'EUR'"}))
    problem = found(directory, "tag-select-beside-filter")
    assert who in problem.message
    assert "Permissions are a union" in problem.message


def test_a_filter_beside_discover_is_refused(directory: Path) -> None:
    add_grant(
        directory,
        "ar",
        written("g", **{**INVOICES, "rows": "currency = 'EUR'"}),
        written("d", product="ar_invoice", to="treasury/payments", access="discover"),
    )
    assert "lets treasury/payments" not in found(directory, "discover-beside-read").message


def test_more_filters_than_the_quota_are_refused(directory: Path) -> None:
    quota(directory, filtersPerPrincipalAndTable=2)
    add_grant(directory, "ar", *(written(f"g{n}", **{**INVOICES, "rows": f"currency = '{n}'"}) for n in range(3)))
    assert "3 data filters on ar_curated.invoice" in found(directory, "filters-per-principal").message


def test_the_same_filter_counts_once(directory: Path) -> None:
    quota(directory, filtersPerPrincipalAndTable=1)
    add_grant(directory, "ar", *(written(f"g{n}", **{**INVOICES, "rows": "currency = 'EUR'"}) for n in range(3)))
    assert load_mesh(directory, DAY)


def test_an_expired_tag_grant_stands_in_no_filters_way(directory: Path) -> None:
    def expire(document: dict[str, Any]) -> None:
        for each in document["grants"]:
            if each.get("product") == "ar_invoice":
                each["expires"] = dt.date(2026, 5, 1)

    edit(directory / "grants" / "ar.yaml", expire)
    add_grant(
        directory, "ar", written("g", **{**INVOICES, "to": "finance-analytics/intern", "rows": "currency = 'EUR'"})
    )
    assert [str(each) for each in problems(directory, DAY)[1]] == []


def test_the_quota_is_the_documented_one() -> None:
    assert Quotas().filters_per_principal_and_table == 100


def test_diff_of_an_unchanged_mesh_with_filters_is_empty() -> None:
    given = mesh({"sales": [filtered(rows="public = 'a'")]})
    assert compare(Access(given, TODAY), Access(given, TODAY)).empty


@pytest.mark.parametrize(
    ("before", "after", "widens"),
    [
        ("public = 'a'", "public = 'b'", True),
        ("public = 'a'", "internal = 'a'", True),
    ],
)
def test_diff_flags_other_rows_of_the_same_columns(before: str, after: str, *, widens: bool) -> None:
    """Nobody compares conditions: whatever is not fewer of the same filters may be more rows."""
    old, new = (Access(mesh({"sales": [filtered(rows=rows)]}), TODAY) for rows in (before, after))
    (change,) = compare(old, new).differences
    assert (change.gained, change.lost) == ((), ())
    assert [(each.columns, each.widens) for each in change.rows] == [(("internal", "public"), widens)]
    assert compare(old, new).widens


def test_diff_tells_fewer_filters_from_more() -> None:
    one, two = [filtered("a", rows="public = 'a'")], [filtered("b", rows="public = 'b'")]
    few, many = (Access(mesh({"sales": grants}), TODAY) for grants in (one, one + two))
    assert compare(few, many).widens
    assert not compare(many, few).widens


def test_both_forms_of_a_diff_say_the_conditions() -> None:
    from lakemesh.workflows.access_diff import as_markdown, as_text

    old, new = (Access(mesh({"sales": [filtered(rows=rows)]}), TODAY) for rows in ("public = 'a'", "public = 'b'"))
    found_ = compare(old, new)
    said = (
        "+ rows of sales_curated.returns (returns)  internal, public: where \"public\" = 'a' -> where \"public\" = 'b'"
    )
    assert said in as_text(found_, "HEAD")
    assert "➕ rows" in as_markdown(found_, "HEAD")
