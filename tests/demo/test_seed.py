"""The producers as the seed makes them, seen through the API as their owners see them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pyiceberg.serializers import FromInputFile

from lakemesh.declarations.models import Declarations
from lakemesh.demo import data
from lakemesh.demo.clients import Clients
from lakemesh.demo.iceberg import S3Files
from lakemesh.demo.seed import Seeded, seed
from lakemesh.deploy.prepare import prepare


@dataclass
class Producers:
    declarations: Declarations
    clients: Clients
    made: Seeded

    def client(self, service: str, producer: str) -> Any:
        return self.clients.root(service, self.declarations.mesh.producers[producer].account)

    def table(self, producer: str, database: str, name: str) -> dict[str, Any]:
        return self.client("glue", producer).get_table(DatabaseName=database, Name=name)["Table"]


@pytest.fixture(scope="module")
def producers(reset: Callable[[], str], sample: Declarations) -> Iterator[Producers]:
    endpoint = reset()
    clients = Clients(endpoint, sample.mesh.region)
    prepare(sample, endpoint)
    yield Producers(sample, clients, seed(sample, clients, data.tables(sample)))
    reset()


def test_every_table_of_the_sample_is_made(producers: Producers) -> None:
    assert producers.made.tables == len(data.sample())


def test_partitions_have_locations_below_their_table(producers: Producers) -> None:
    glue = producers.client("glue", "procurement")
    found = glue.get_partitions(DatabaseName="procurement_curated", TableName="vendor_payment")["Partitions"]
    assert {tuple(one["Values"]): one["StorageDescriptor"]["Location"] for one in found}[("2026-09",)] == (
        "s3://acme-procurement-lake/curated/vendor_payment/payment_month=2026-09/"
    )


def test_the_crawlers_table_says_how_to_read_it(producers: Producers) -> None:
    table = producers.table("procurement", "procurement_raw", "vendor_master")
    assert table["Parameters"]["skip.header.line.count"] == "1"
    assert table["Parameters"]["CrawlerSchemaDeserializerVersion"] == "1.0"
    assert table["StorageDescriptor"]["Columns"][-1]["Name"] == "changed_by"


def test_the_iceberg_table_is_one_that_iceberg_reads(producers: Producers) -> None:
    table = producers.table("erp", "ar_curated", "invoice")
    assert table["Parameters"]["table_type"].upper() == "ICEBERG"
    place = table["Parameters"]["metadata_location"]
    files = S3Files(producers.client("s3", "erp"))
    metadata = FromInputFile.table_metadata(files.new_input(place))
    assert len(metadata.snapshots) == 2
    manifests = [manifest for snapshot in metadata.snapshots[-1:] for manifest in snapshot.manifests(files)]
    entries = [entry for manifest in manifests for entry in manifest.fetch_manifest_entry(files)]
    invoices = next(one for one in data.sample() if one.name == "invoice")
    assert sum(entry.data_file.record_count for entry in entries) == len(invoices.rows)


def test_the_view_is_written_as_athena_writes_it(producers: Producers) -> None:
    table = producers.table("erp", "ar_curated", "invoice_aging")
    encoded = table["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    definition = json.loads(base64.b64decode(encoded))
    assert definition["schema"] == "ar_curated"
    assert [column["name"] for column in definition["columns"]] == [
        column["Name"] for column in table["StorageDescriptor"]["Columns"]
    ]


def test_the_governed_producer_lets_lake_formation_decide(producers: Producers) -> None:
    settings = producers.client("lakeformation", "erp").get_data_lake_settings()["DataLakeSettings"]
    assert settings["CreateDatabaseDefaultPermissions"] == []
    assert settings["CreateTableDefaultPermissions"] == []
    names = {admin["DataLakePrincipalIdentifier"].rpartition("/")[2] for admin in settings["DataLakeAdmins"]}
    assert names == {"LakeAdministrator", producers.declarations.mesh.producers["erp"].deploy_role}


def test_objects_of_the_old_lake_are_encrypted_with_its_own_key(producers: Producers) -> None:
    key = producers.declarations.mesh.producers["erp"].buckets["acme-erp-lake"].kms_key
    s3 = producers.client("s3", "erp")
    first = s3.list_objects_v2(Bucket="acme-erp-lake")["Contents"][0]["Key"]
    head = s3.head_object(Bucket="acme-erp-lake", Key=first)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_the_old_lake_has_policies_and_the_new_one_has_none(producers: Producers) -> None:
    assert "TlsOnly" in producers.client("s3", "erp").get_bucket_policy(Bucket="acme-erp-lake")["Policy"]
    assert "BatchJobs" in producers.client("glue", "erp").get_resource_policy()["PolicyInJson"]
    s3 = producers.client("s3", "procurement")
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket="acme-procurement-lake")
