from __future__ import annotations

import pytest

from sync_handlers.locations import outside, refusal
from tests.sync_handlers.tables import iceberg, parquet, partition

PREFIXES = ("s3://lake/raw/sales/",)


@pytest.mark.parametrize(
    "location",
    ["s3://lake/raw/sales/", "s3://lake/raw/sales", "s3://lake/raw/sales/orders", "s3a://lake/raw/sales/orders/",
     "s3n://lake/raw/sales/x", "S3://lake/raw/sales/x", "s3://lake/raw/sales/a b/é=1", "s3://lake/raw/sales//x",
     "s3://lake/raw/sales/..hidden/x"],
)  # fmt: skip
def test_a_location_under_a_prefix_may_be_published(location: str) -> None:
    assert outside(location, PREFIXES) is None


@pytest.mark.parametrize(
    "location",
    ["s3://lake/raw/sales-evil/x", "s3://lake/raw/salesx", "s3://lake/raw/", "s3://lake/", "s3://lake", "s3://other/raw/sales/x",
     "s3://lake/raw/sales/../hr/x", "s3://lake/raw/sales/x/..", "s3://lake/./raw/sales/x", "s3://lake//raw/sales/x", "s3a://lake/raw/hr/",
     "s3://lake/RAW/sales/x", "hdfs://lake/raw/sales/x", "file:///raw/sales", " s3://lake/raw/sales/x", "lake/raw/sales/x", "s3:/lake/raw/sales/x",
     "s3://lake.evil/raw/sales/x", "arn:aws:dynamodb:eu-west-1:1:table/x", "s3://lake/raw/hr\n/raw/sales/"],
)  # fmt: skip
def test_a_location_that_is_not_under_a_prefix_is_refused_with_its_name(location: str) -> None:
    reason = outside(location, PREFIXES)
    assert reason is not None
    assert repr(location) in reason


def test_a_whole_bucket_may_be_a_prefix() -> None:
    assert outside("s3://lake/anything", ("s3://lake/",)) is None
    assert outside("s3://lakes/anything", ("s3://lake/",)) is not None


def test_a_table_without_a_location_publishes_nothing() -> None:
    assert refusal({"Name": "view", "StorageDescriptor": {"Location": ""}}, PREFIXES) is None
    assert refusal({"Name": "view"}, PREFIXES) is None


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("Location", {"Location": "s3://hr/x"}),
        ("AdditionalLocations", {"AdditionalLocations": ["s3://lake/raw/sales/x", "s3://hr/x"]}),
        ("SerDe parameter path", {"SerdeInfo": {"Parameters": {"path": "s3://hr/x"}}}),
        ("SkewedColumnValueLocationMaps", {"SkewedInfo": {"SkewedColumnValueLocationMaps": {"a": "s3://hr/x"}}}),
        ("storage parameter anything", {"Parameters": {"anything": "s3a://hr/x"}}),
    ],
)
def test_every_location_of_a_storage_descriptor_counts(where: str, change: dict[str, object]) -> None:
    table = parquet()
    table["StorageDescriptor"] |= change
    assert (refusal(table, PREFIXES) or "").startswith(where)
    part = partition(parquet(), "2026-01-01")
    part["StorageDescriptor"] |= change
    assert refusal(part, PREFIXES) is not None


def test_an_iceberg_table_may_not_read_somebody_elses_metadata() -> None:
    table = iceberg()
    table["Parameters"]["metadata_location"] = "s3://lake/raw/hr/metadata/00009-x.metadata.json"
    assert "metadata_location" in (refusal(table, PREFIXES) or "")


@pytest.mark.parametrize(
    ("template", "allowed"),
    [
        ("s3://lake/raw/sales/orders/${day}/", True),
        ("s3://lake/raw/sales/${day}", True),
        ("s3://lake/raw/${area}/x", False),
        ("s3://${bucket}/raw/sales/", False),
        # `sales` itself is the prefix without its slash, but what is filled in may be `-evil`.
        ("s3://lake/raw/sales${suffix}/", False),
        ("${anything}", False),
    ],
)
def test_projection_may_not_fill_in_a_location_outside(template: str, allowed: bool) -> None:
    table = parquet()
    table["Parameters"]["storage.location.template"] = template
    assert (refusal(table, PREFIXES) is None) is allowed
