"""Columns judged in the cloud: after each sync from metadata, and from samples that stay in the producer's account."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lakemesh.cli.main import app
from lakemesh.declarations.naming import Naming
from lakemesh.demo import data
from lakemesh.demo.process import LocalAwsProcess
from tests.e2e.conftest import SAMPLE, World
from tests.e2e.test_sync import Followed

pytestmark = pytest.mark.e2e
STACKS = ("central", "producer-procurement", "producer-erp", "domain-ap", "domain-ar")
TWIN, TABLE = "procurement_curated", "vendor_payment"
CANARY = "kanarie.vogel@canary-9f3a.example"


@pytest.fixture(scope="module")
def reviewing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    mesh = Path(shutil.copytree(SAMPLE, tmp_path_factory.mktemp("review") / "mesh"))
    file = mesh / "mesh.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("    governance: iam\n", "    governance: iam\n    scan: rate(1 day)\n", 1)
    text = text.replace(
        "    governance: lake-formation\n", "    governance: lake-formation\n    scan: rate(1 day)\n", 1
    )
    file.write_text(f"{text}\nclassification:\n  afterSync: true\n", encoding="utf-8")
    with LocalAwsProcess() as aws:
        world = World(aws.endpoint, mesh)
        world.prepare()
        world.up(mesh, *STACKS)
        yield Followed(world)


def kept(followed: Followed, key: str) -> Any:
    s3 = followed.world.root("s3", followed.central_account)
    try:
        return json.loads(s3.get_object(Bucket=followed.naming.reviews_bucket, Key=key)["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None


def logs(followed: Followed, account: str, function: str) -> str:
    client = followed.world.root("logs", account)
    found = client.filter_log_events(logGroupName=f"/aws/lambda/{function}")
    return "\n".join(event["message"] for event in found["events"])


def add_column(reviewing: Followed) -> None:
    """A column of the producer's, once, whichever test comes first."""
    if "payee_email" in reviewing.columns(TABLE, TWIN):
        return
    table = reviewing.producer.get_table(DatabaseName=TWIN, Name=TABLE)["Table"]
    keep = {"Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters"}
    given = {key: value for key, value in table.items() if key in keep}
    given["StorageDescriptor"]["Columns"].append({"Name": "payee_email", "Type": "string", "Comment": CANARY})
    reviewing.producer.update_table(DatabaseName=TWIN, TableInput=given)
    reviewing.settle()


def test_a_new_column_is_judged_as_soon_as_the_sync_has_written_it(reviewing: Followed) -> None:
    add_column(reviewing)
    assert "payee_email" in reviewing.columns(TABLE, TWIN)
    found = kept(reviewing, f"metadata/{TWIN}/{TABLE}.json")
    assert found["columns"]["payee_email"]["kind"] == "email"
    assert found["columns"]["payee_email"]["sensitivity"] == "confidential"
    assert CANARY not in json.dumps(found)


def test_the_schedule_looks_at_everything_and_says_how_far_the_review_is(reviewing: Followed) -> None:
    reviewing.advance(24 * 3600)
    text = logs(reviewing, reviewing.central_account, reviewing.naming.review_function)
    for metric in ("ColumnsReviewed", "ColumnsPending", "OldestPendingSeconds"):
        assert metric in text
    assert "Traceback" not in text
    assert CANARY not in text


@pytest.mark.parametrize("producer", ["erp", "procurement"])
def test_a_scan_looks_at_samples_and_sends_no_value(reviewing: Followed, producer: str) -> None:
    """One producer governs its catalog and encrypts its data; the other does neither."""
    reviewing.advance(24 * 3600)
    mesh = reviewing.world.declarations.mesh
    text = logs(reviewing, mesh.producers[producer].account, reviewing.naming.scan_function(producer))
    assert "TablesScanned" in text
    assert "Traceback" not in text
    s3 = reviewing.world.root("s3", reviewing.central_account)
    bucket = reviewing.naming.reviews_bucket
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"scans/{producer}/").get("Contents", ())
    found = [kept(reviewing, one["Key"]) for one in listed]
    assert any(column["samples"] for one in found for column in one["columns"].values())
    values = {
        str(value)
        for sources in data.tables(reviewing.world.declarations).values()
        for source in sources
        for row in source.rows
        for value in row.values()
        if isinstance(value, str) and ("@" in value or (" " in value and len(value) > 10))
    }
    written = text + json.dumps(found, ensure_ascii=False)
    assert values
    assert [value for value in values if value in written] == []


def test_recommendations_of_the_cloud_become_the_domains_file(
    reviewing: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_column(reviewing)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", reviewing.central_account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_ENDPOINT_URL", reviewing.world.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", reviewing.world.declarations.mesh.region)
    result = CliRunner().invoke(
        app, ["classify", "recommend", "--from-central", "--mesh", str(reviewing.world.directory)]
    )
    assert result.exit_code == 0, result.output
    assert "payee_email" in result.output
    assert Naming(reviewing.world.declarations.mesh).reviews_bucket not in result.output
