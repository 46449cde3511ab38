"""How old data may be, by the contract's service levels."""

from __future__ import annotations

import pytest

from lakemesh.declarations.manifest import manifest
from lakemesh.declarations.models import ServiceLevel
from lakemesh.declarations.service_levels import max_age
from tests.declarations.meshes import GOOD, SAMPLE, check

DAY = 86_400


@pytest.mark.parametrize(
    ("levels", "seconds"),
    [
        ([], None),
        ([("retention", "3", "y")], None),
        ([("latency", "1", "d")], DAY),
        ([("Latency", "4", "hours"), ("frequency", "1", "d")], DAY + 4 * 3600),
        ([("freshness", "90", "min"), ("latency", "1", "d")], 5400),
        ([("latency", "soon", "d")], None),
        ([("latency", "1", "m")], None),
        ([("latency", "0", "d")], None),
        ([("latency", "nan", "d")], None),
        ([("frequency", "0.5", "d")], DAY // 2),
    ],
)
def test_data_may_be_as_old_as_it_takes_to_be_made_and_to_arrive(
    levels: list[tuple[str, str, str]], seconds: int | None
) -> None:
    given = [ServiceLevel(property=name, value=value, unit=unit) for name, value, unit in levels]
    assert max_age(given) == seconds


def test_the_manifest_says_how_old_each_product_may_be_and_which_products_a_grant_reaches() -> None:
    loaded = check(SAMPLE).declarations
    assert loaded is not None
    document = manifest(loaded)
    ages = {name: product["maxAgeSeconds"] for name, product in document["products"].items()}
    assert ages["ar_invoice"] == 2 * DAY
    assert ages["vendor"] == DAY
    for grant in document["grants"]:
        assert set(grant["products"]) <= set(document["products"])
        assert grant["product"] is None or grant["products"] == [grant["product"]]


def test_a_grant_by_tags_reaches_the_products_of_its_own_domain_that_carry_them() -> None:
    loaded = check(GOOD).declarations
    assert loaded is not None
    document = manifest(loaded)
    by_tags = [grant for grant in document["grants"] if grant["tags"] is not None]
    assert by_tags, "the sample mesh of these tests has a grant by tags"
    for grant in by_tags:
        assert grant["products"]
        for product in grant["products"]:
            assert document["products"][product]["domain"] == grant["domain"]
