"""Prefixes of a source: few, apart, and with nothing of others in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lakemesh.onboard.formats import outermost
from lakemesh.onboard.prefixes import prefixes


def test_tables_side_by_side_share_the_directory_that_they_lie_in() -> None:
    places = ["s3://lake/curated/sales/orders/", "s3://lake/curated/sales/returns/"]
    assert prefixes(places, []) == ("s3://lake/curated/sales/",)


def test_one_table_is_its_own_prefix() -> None:
    assert prefixes(["s3://lake/curated/orders/"], []) == ("s3://lake/curated/orders/",)


def test_a_directory_that_holds_tables_of_another_database_is_split() -> None:
    places = ["s3://lake/c/a/1/", "s3://lake/c/a/2/", "s3://lake/c/b/"]
    assert prefixes(places, ["s3://lake/c/x/"]) == ("s3://lake/c/a/", "s3://lake/c/b/")


def test_a_whole_bucket_is_not_taken_because_tables_share_it() -> None:
    assert prefixes(["s3://lake/a/", "s3://lake/b/"], []) == ("s3://lake/a/", "s3://lake/b/")


def test_a_table_that_is_a_whole_bucket_keeps_it() -> None:
    assert prefixes(["s3://lake/"], []) == ("s3://lake/",)


def test_the_databases_own_location_is_taken_where_everything_lies_in_it() -> None:
    assert prefixes(["s3://lake/sales/orders/"], [], "s3://lake/sales/") == ("s3://lake/sales/",)


def test_the_databases_own_location_is_not_taken_where_others_lie_in_it() -> None:
    found = prefixes(["s3://lake/sales/orders/"], ["s3://lake/sales/hr/"], "s3://lake/sales/")
    assert found == ("s3://lake/sales/orders/",)


def test_names_that_begin_alike_are_no_common_directory() -> None:
    assert prefixes(["s3://lake/x/sales/", "s3://lake/x/sales_eu/"], []) == ("s3://lake/x/",)
    assert prefixes(["s3://lake/sales/", "s3://lake/sales_eu/"], []) == ("s3://lake/sales/", "s3://lake/sales_eu/")


PLACES = st.lists(
    st.lists(st.sampled_from("abc"), min_size=0, max_size=4).map(lambda parts: "/".join(("s3://lake", *parts)) + "/"),
    min_size=1, max_size=8,
)  # fmt: skip


@given(PLACES, PLACES)
def test_every_place_is_covered_once_and_nothing_foreign_comes_in(places: list[str], foreign: list[str]) -> None:
    found = prefixes(places, foreign)
    assert found == outermost(found), "no prefix lies in another"
    for place in places:
        assert sum(place.startswith(prefix) for prefix in found) == 1
    for prefix in found:
        if any(other.startswith(prefix) for other in foreign):
            assert prefix in places, "only a table's own directory may hold what is somebody else's"
