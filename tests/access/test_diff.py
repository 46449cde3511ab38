"""Who gains or loses what between two revisions."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lakemesh.access.check import load_mesh
from lakemesh.access.diff import AccessDiff, ColumnChange, Difference, compare
from lakemesh.access.holders import Access, Kind
from lakemesh.access.overview import Columns
from lakemesh.declarations.models import Declarations, Sensitivity, Status
from tests.access.meshes import CONSUMERS, PRODUCTS, TODAY, grant, mesh
from tests.access.test_expand import meshes

MESH = Path(__file__).parents[2] / "mesh"
DAY = dt.date(2026, 11, 1)
SAMPLE = load_mesh(MESH, DAY)
EXPECTED: dict[str, Any] = yaml.safe_load((MESH / "expected.yaml").read_text())

READ = grant("read", product="orders", to="lab", sensitivity=["public", "internal"])
ANA = {"lab": {"read": ["ana"]}}


def access(grants: Any = (), assignments: Any = None, **more: Any) -> Access:
    given_ = grants if isinstance(grants, dict) else {"sales": list(grants)}
    return Access(mesh(given_, assignments, **more), TODAY)


def names(columns: tuple[ColumnChange, ...]) -> list[str]:
    return [column.name for column in columns]


def lines(diff: AccessDiff, kind: Kind = Kind.PRINCIPAL) -> set[tuple[str, str, str, str]]:
    """(sign and verb, holder, table, columns)"""
    return {
        (sign, each.holder.name, each.table, " ".join(names(columns)))
        for each in diff.of(kind)
        for sign, columns in (
            ("+read", each.gained), ("-read", each.lost), ("+see", each.shown), ("-see", each.hidden)
        )
        if columns
    }  # fmt: skip


def with_columns(declarations: Declarations, product: str, **levels: Sensitivity | None) -> Declarations:
    """The same mesh with other classifications in one product."""
    old = declarations.products[product]
    tables = tuple(
        table.model_copy(update={"columns": tuple(
            column.model_copy(update={"sensitivity": levels[column.name]}) if column.name in levels else column
            for column in table.columns
        )})
        for table in old.tables
    )  # fmt: skip
    products = {**declarations.products, product: old.model_copy(update={"tables": tables})}
    return declarations.model_copy(update={"products": products})


# ------------------------------------------------------------------------------------------------------------ grants
def test_a_grant_to_an_account_that_assigns_nobody_reaches_its_administrators_alone() -> None:
    diff = compare(access(), access([READ]))
    assert lines(diff) == set()
    assert lines(diff, Kind.ACCOUNT) == {
        ("+read", "lab", "sales_raw.orders", "internal public"),
        ("+read", "lab", "sales_curated.orders_daily", "internal public"),
    }
    assert diff.widens
    assert diff.highest == "internal"


def test_an_assignment_lets_a_principal_read_and_changes_nothing_for_the_account() -> None:
    diff = compare(access([READ]), access([READ], ANA))
    assert lines(diff, Kind.ACCOUNT) == set()
    assert {(sign, who) for sign, who, *_ in lines(diff)} == {("+read", "lab/ana")}
    assert {each.gained_by for each in diff.differences} == {("read",)}
    assert [(cause.kind, cause.name, cause.before, cause.after) for cause in diff.causes] == [
        ("assignment", "lab: read", "", "ana")
    ]


def test_a_direct_grant_reaches_one_principal_and_no_account() -> None:
    direct = grant("direct", product="returns", to="lab/bob", sensitivity=["confidential", "restricted"])
    diff = compare(access(), access([direct]))
    assert lines(diff) == {("+read", "lab/bob", "sales_curated.returns", "confidential restricted")}
    assert lines(diff, Kind.ACCOUNT) == set()
    assert diff.highest == "restricted"


def test_a_withdrawn_grant_takes_what_no_other_grant_gives() -> None:
    narrow = grant("narrow", product="orders", to="lab/ana", sensitivity=["public"])
    diff = compare(access([READ, narrow], ANA), access([narrow], {}))
    assert {columns for _, who, _, columns in lines(diff) if who == "lab/ana"} == {"internal"}
    assert not diff.widens
    assert {each.lost_with for each in diff.of(Kind.PRINCIPAL)} == {("read",)}


def test_a_grant_of_another_id_that_says_the_same_changes_nothing() -> None:
    diff = compare(access([READ], ANA), access([READ.model_copy(update={"id": "other"})], {"lab": {"other": ["ana"]}}))
    assert diff.empty
    assert {cause.name for cause in diff.causes} == {"sales/read", "sales/other", "lab: read", "lab: other"}


def test_discover_shows_columns_and_read_instead_of_it_hides_the_rest() -> None:
    discover = grant("d", product="returns", to="lab/ana", access="discover")
    read = grant("d", product="returns", to="lab/ana", sensitivity=["public"])
    every = "confidential internal new public restricted"
    assert lines(compare(access(), access([discover]))) == {("+see", "lab/ana", "sales_curated.returns", every)}
    assert lines(compare(access([discover]), access([read]))) == {
        ("+read", "lab/ana", "sales_curated.returns", "public"),
        ("-see", "lab/ana", "sales_curated.returns", "confidential internal new restricted"),
    }


def test_an_expired_grant_is_no_part_of_a_change() -> None:
    gone = READ.model_copy(update={"expires": TODAY})
    assert compare(access([gone], ANA), access([])).empty


# --------------------------------------------------------------------------------- contracts, tags, people
def test_a_declassified_column_is_flagged_by_what_it_was() -> None:
    before = access([READ], ANA)
    after = Access(with_columns(before.declarations, "orders", restricted=Sensitivity.PUBLIC), TODAY)
    diff = compare(before, after)
    assert all(each.gained == (ColumnChange("restricted", "public", "restricted"),) for each in diff.differences)
    assert diff.highest == "restricted"
    (cause, _) = diff.causes
    assert (cause.kind, cause.name) == ("column", "sales_curated.orders_daily.restricted")
    assert (cause.before, cause.after) == ("sensitivity=restricted", "sensitivity=public")
    assert (cause.readers_before, cause.readers_after) == ((), ("lab/ana",))


def test_a_reclassified_column_that_nobody_gains_or_loses_still_says_who_reads_it() -> None:
    before = access([READ], ANA)
    after = Access(with_columns(before.declarations, "orders", internal=Sensitivity.PUBLIC), TODAY)
    diff = compare(before, after)
    assert diff.empty
    assert {(cause.readers_before, cause.readers_after) for cause in diff.causes} == {(("lab/ana",), ("lab/ana",))}


def test_a_reviewed_column_is_gained_by_all_whose_grants_name_its_sensitivity() -> None:
    whole = grant("whole", tags={}, to="desk", sensitivity=["internal"])
    before = access([READ, whole], {**ANA, "desk": {"whole": ["ana"]}})
    diff = compare(before, Access(with_columns(before.declarations, "orders", new=Sensitivity.INTERNAL), TODAY))
    assert {who for _, who, *_ in lines(diff)} == {"lab/ana", "desk/ana"}
    assert {who for _, who, *_ in lines(diff, Kind.ACCOUNT)} == {"lab", "desk"}


def test_a_tag_of_a_table_moves_it_in_and_out_of_grants_by_tags() -> None:
    curated = grant("c", tags={"layer": ["curated"]}, to="lab/ana", sensitivity=["public"])
    before = access([curated])
    products = dict(PRODUCTS)
    domain, (orders, daily) = products["orders"]
    products["orders"] = domain, (orders.model_copy(update={"tags": {"layer": "curated"}}), daily)
    diff = compare(before, access([curated], products=products))
    assert lines(diff) == {("+read", "lab/ana", "sales_raw.orders", "public")}
    (cause,) = diff.causes
    assert (cause.kind, cause.name, cause.before, cause.after) == (
        "table", "sales_raw.orders", "layer=raw", "layer=curated"
    )  # fmt: skip
    assert cause.readers_after == ("lab/ana",)


def test_a_retired_product_is_lost_by_everybody() -> None:
    before = access([READ], ANA)
    retired = before.declarations.products["orders"].model_copy(update={"status": Status.RETIRED})
    products = {**before.declarations.products, "orders": retired}
    diff = compare(before, Access(before.declarations.model_copy(update={"products": products}), TODAY))
    assert {sign for sign, *_ in lines(diff) | lines(diff, Kind.ACCOUNT)} == {"-read"}


def test_another_role_behind_an_alias_gains_and_the_old_one_loses() -> None:
    before = access([READ], ANA)
    lab = before.declarations.consumers["lab"]
    role = f"arn:aws:iam::{CONSUMERS['lab']}:role/Other"
    principals = {**lab.principals, "ana": lab.principals["ana"].model_copy(update={"role": role})}
    consumers = {**before.declarations.consumers, "lab": lab.model_copy(update={"principals": principals})}
    diff = compare(before, Access(before.declarations.model_copy(update={"consumers": consumers}), TODAY))
    assert {(bool(each.gained), each.holder.id) for each in diff.differences} == {
        (True, role),
        (False, lab.principals["ana"].role),
    }


@pytest.mark.parametrize("central", [True, False], ids=["central", "consumer"])
def test_a_new_administrator_widens_access(central: bool) -> None:
    before = access([READ], ANA)
    account = "000000000011" if central else CONSUMERS["lab"]
    role = f"arn:aws:iam::{account}:role/New"
    if central:
        inner = before.declarations.mesh.central.model_copy(update={"administrators": (role,)})
        update: dict[str, Any] = {"mesh": before.declarations.mesh.model_copy(update={"central": inner})}
    else:
        lab = before.declarations.consumers["lab"].model_copy(update={"administrators": (role,)})
        update = {"consumers": {**before.declarations.consumers, "lab": lab}}
    diff = compare(before, Access(before.declarations.model_copy(update=update), TODAY))
    (found,) = diff.administrators
    assert (found.consumer, found.added, found.removed) == ("" if central else "lab", (role,), ())
    assert diff.widens
    assert not diff.differences


def test_against_nothing_everything_is_gained() -> None:
    diff = compare(None, access([READ], ANA))
    assert {sign for sign, *_ in lines(diff)} == {"+read"}
    assert diff.administrators


# ------------------------------------------------------------------------------------------------------------ sample
def test_the_samples_edit_changes_the_verdicts_that_were_written_by_hand() -> None:
    edit = EXPECTED["edit"]
    grants = {
        domain: tuple(
            each.model_copy(
                update={"sensitivity": (*each.sensitivity, *map(Sensitivity, edit["widen"].get(each.id, [])))}
            )
            for each in given_
            if each.id not in edit["withdraw"]
        )
        for domain, given_ in SAMPLE.grants.items()
    }
    diff = compare(Access(SAMPLE, DAY), Access(SAMPLE.model_copy(update={"grants": grants}), DAY))
    found = {(each.holder.name, each.table): each for each in diff.of(Kind.PRINCIPAL)}
    wanted = {
        (principal, table)
        for principal, tables in edit["principals"].items()
        for table, verdict in tables.items()
        if verdict != EXPECTED["principals"][principal][table]
    }
    assert set(found) == wanted
    for (principal, table), each in found.items():
        before, after = (
            reads(source[principal][table], table) for source in (EXPECTED["principals"], edit["principals"])
        )
        assert set(names(each.gained)) == after - before
        assert set(names(each.lost)) == before - after


def reads(verdict: Any, table: str) -> set[str]:
    if isinstance(verdict, str):
        return set(EXPECTED["tables"][table]) if verdict == "read" else set()
    return set(verdict.get("read", ()))


# -------------------------------------------------------------------------------------------------------------- laws
def apply(had: Columns, each: Difference) -> Columns:
    gained, lost, shown, hidden = (set(names(columns)) for columns in (each.gained, each.lost, each.shown, each.hidden))
    # What is lost for reading may still show, by `discover`: that is told by the visible columns afterwards.
    return Columns(frozenset((had.visible | gained | shown) - hidden), frozenset((had.selectable | gained) - lost))


sensitivities = st.dictionaries(
    st.sampled_from([level.value for level in Sensitivity]), st.sampled_from([*Sensitivity, None])
)


@given(meshes(), meshes(), sensitivities)
def test_the_difference_added_to_what_was_is_what_is(one, other, levels) -> None:
    before = Access(mesh(*one), TODAY)
    after = Access(with_columns(mesh(*other), "orders", **levels), TODAY)
    diff = compare(before, after)
    by = {(each.holder, each.table): each for each in diff.differences}
    for holder in after.holders.values():
        had, has = before.of(holder), after.of(holder)
        for key in had.keys() | has.keys():
            old, new = had.get(key, Columns()), has.get(key, Columns())
            each = by.get((holder, ".".join(key)))
            made = apply(old, each) if each else old
            assert made.selectable == new.selectable
            assert new.visible == made.visible - (made.visible - new.visible if each and each.lost else frozenset())
            assert bool(each and (each.gained or each.shown)) == bool(
                new.selectable - old.selectable or new.visible - old.visible
            )
            if each and each.gained:
                assert each.gained_by, "every gain has a grant behind it"
            if each and each.lost:
                assert each.lost_with


@given(meshes(), meshes())
def test_the_way_back_is_the_mirror_image(one, other) -> None:
    before, after = Access(mesh(*one), TODAY), Access(mesh(*other), TODAY)
    there, back = compare(before, after), compare(after, before)
    mirrored = {(each.holder, each.table, names_of(each.lost), names_of(each.gained)) for each in back.differences}
    assert {
        (each.holder, each.table, names_of(each.gained), names_of(each.lost)) for each in there.differences
    } == mirrored


def names_of(columns: tuple[ColumnChange, ...]) -> tuple[str, ...]:
    return tuple(names(columns))


@given(meshes())
def test_nothing_differs_from_itself(one) -> None:
    diff = compare(Access(mesh(*one), TODAY), Access(mesh(*one), TODAY))
    assert diff == AccessDiff()
