"""The twins follow the producers: by events, by the refresh where events were lost, and never by what is forged."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lakemesh.declarations.naming import Naming
from lakemesh.demo.process import LocalAwsProcess
from tests.e2e.conftest import SAMPLE, World

pytestmark = pytest.mark.e2e
STACKS = ("central", "producer-erp", "producer-procurement", "domain-ap", "domain-ar")
TWIN, TABLE = "procurement_raw", "goods_receipt"
LISTED = ("procurement_curated", "vendor_payment")
UNPARTITIONED = ("procurement_raw", "vendor_master")
WRITES = ("Create", "Update", "Delete", "BatchCreate", "BatchUpdate", "BatchDelete")


@dataclass
class Followed:
    """A deployed mesh whose queue is at work."""

    world: World

    def __post_init__(self) -> None:
        mesh = self.world.declarations.mesh
        self.naming = Naming(mesh)
        self.central_account = mesh.central.account
        self.producer_account = mesh.producers["procurement"].account
        self.central = self.world.root("glue", self.central_account)
        self.producer = self.world.root("glue", self.producer_account)
        self.queue = self.world.root("sqs", self.central_account)

    def control(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.world.endpoint}/_local/{path}", data, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=130) as answer:  # noqa: S310
            return json.load(answer)

    def settle(self) -> None:
        assert self.control("idle?timeout=120") == {"idle": True}

    def advance(self, seconds: int) -> None:
        self.control("advance", "POST", {"seconds": seconds})
        self.settle()

    def refresh(self) -> None:
        """The next scheduled refresh, and the window over which it is spread."""
        self.advance(6 * 3600)
        self.advance(900)

    def faults(self, **plan: Any) -> None:
        self.control("faults", "PUT", plan)

    def twin(self, table: str = TABLE, database: str = TWIN) -> dict[str, Any] | None:
        try:
            return dict(self.central.get_table(DatabaseName=database, Name=table)["Table"])
        except self.central.exceptions.EntityNotFoundException:
            return None

    def columns(self, table: str = TABLE, database: str = TWIN) -> list[str]:
        found = self.twin(table, database)
        return [column["Name"] for column in found["StorageDescriptor"]["Columns"]] if found else []

    def partitions(self) -> list[list[str]]:
        pages = self.central.get_partitions(DatabaseName=TWIN, TableName=TABLE)["Partitions"]
        return sorted(partition["Values"] for partition in pages)

    def tags(self, database: str, table: str) -> dict[str, Any]:
        """LF-Tags set on the columns of a twin's table."""
        resource = {"Table": {"DatabaseName": database, "Name": table}}
        lf = self.world.root("lakeformation", self.central_account)
        answer = lf.get_resource_lf_tags(Resource=resource, ShowAssignedLFTags=True)
        return {each["Name"]: each["LFTags"] for each in answer.get("LFTagsOnColumns", [])}

    def create(self, *columns: str) -> None:
        self.producer.create_table(DatabaseName=TWIN, TableInput=table_input(*columns))

    def add(self, *days: str) -> None:
        inputs = [{"Values": [day], "StorageDescriptor": descriptor(f"day={day}/")} for day in days]
        self.producer.batch_create_partition(DatabaseName=TWIN, TableName=TABLE, PartitionInputList=inputs)

    def drop(self) -> None:
        self.producer.delete_table(DatabaseName=TWIN, Name=TABLE)

    def waiting(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.queue.get_queue_url(QueueName=queue)["QueueUrl"]
        answer = self.queue.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in answer.values())

    def metric(self, name: str, **dimensions: str) -> int:
        """Sum of a metric that the sync function wrote into its log."""
        group = f"/aws/lambda/{self.naming.sync_function}"
        logs, total = self.world.root("logs", self.central_account), 0
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                if event["message"].startswith("{") and "_aws" in event["message"]:
                    record = json.loads(event["message"])
                    if all(record.get(key) == value for key, value in dimensions.items()):
                        total += int(sum(record.get(name, [])))
        return total

    def writes(self, after: int) -> list[str]:
        """Calls that changed the central catalog or its tags, since a point of the journal."""
        return [
            entry["operation"]
            for entry in self.world.journal(after)
            if entry["account"] == self.central_account
            and (entry["service"] == "lakeformation" or entry["operation"].startswith(WRITES))
            and entry["service"] in {"glue", "lakeformation"}
        ]


def descriptor(path: str = "", *columns: str) -> dict[str, Any]:
    return {
        "Columns": [{"Name": name, "Type": "string"} for name in columns or ("receipt_id",)],
        "Location": f"s3://acme-procurement-lake/raw/goods_receipt/{path}",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }


def table_input(*columns: str) -> dict[str, Any]:
    return {
        "Name": TABLE,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "StorageDescriptor": descriptor("", *columns),
    }


@pytest.fixture(scope="module")
def mesh_at_work() -> Iterator[Followed]:
    with LocalAwsProcess() as aws:
        world = World(aws.endpoint, SAMPLE).prepare()
        world.up(None, *STACKS)
        yield Followed(world)


@pytest.fixture
def followed(mesh_at_work: Followed) -> Followed:
    """Nothing left of the test before: no table of ours at the source or in the twin, no faults."""
    for glue in (mesh_at_work.producer, mesh_at_work.central):
        for table in glue.get_tables(DatabaseName=TWIN)["TableList"]:
            if table["Name"] == TABLE:
                glue.delete_table(DatabaseName=TWIN, Name=TABLE)
    mesh_at_work.faults()
    mesh_at_work.settle()
    return mesh_at_work


def test_a_producers_changes_arrive_in_the_twin_by_events(followed: Followed) -> None:
    followed.create("receipt_id")
    followed.settle()
    assert followed.columns() == ["receipt_id"]

    followed.add("2026-03-01", "2026-03-02")
    followed.settle()
    assert followed.partitions() == [["2026-03-01"], ["2026-03-02"]]

    changed = table_input("receipt_id", "warehouse")
    followed.producer.update_table(DatabaseName=TWIN, TableInput=changed)
    followed.producer.delete_partition(DatabaseName=TWIN, TableName=TABLE, PartitionValues=["2026-03-01"])
    followed.settle()
    assert followed.columns() == ["receipt_id", "warehouse"]
    assert followed.partitions() == [["2026-03-02"]]


def test_a_change_arrives_within_two_seconds(followed: Followed) -> None:
    followed.create("receipt_id")
    followed.settle()
    started = time.monotonic()
    followed.add("2026-03-01")
    while not followed.partitions() and time.monotonic() - started < 30:
        pass
    took = time.monotonic() - started
    assert took < 4, f"{took:.1f} s; 1 s of it is the batching window"


def test_a_table_that_is_dropped_stays_marked_and_returns_when_it_is_recreated(followed: Followed) -> None:
    followed.create("receipt_id")
    followed.add("2026-03-01")
    followed.settle()
    followed.drop()
    followed.settle()
    gone = followed.twin()
    assert gone is not None, "not being seen is no proof of deletion"
    assert "lakemesh.not_seen_since" in gone["Parameters"]

    followed.create("receipt_id", "warehouse")
    followed.settle()
    back = followed.twin()
    assert back is not None
    assert "lakemesh.not_seen_since" not in back["Parameters"]
    assert followed.columns() == ["receipt_id", "warehouse"]
    assert followed.partitions() == []


def definition(followed: Followed, database: str, name: str) -> dict[str, Any]:
    found = followed.producer.get_table(DatabaseName=database, Name=name)["Table"]
    keys = ("Name", "TableType", "PartitionKeys", "StorageDescriptor", "Parameters")
    return {key: found[key] for key in keys if key in found}


def test_a_new_column_of_a_listed_table_arrives_unreviewed_and_its_tags_are_looked_at_again(followed: Followed) -> None:
    database, name = LISTED
    original, before = definition(followed, database, name), followed.tags(database, name)
    wider = json.loads(json.dumps(original))
    wider["StorageDescriptor"]["Columns"].append({"Name": "bank_reference", "Type": "string"})
    asked = followed.metric("ProductsTagged")

    followed.producer.update_table(DatabaseName=database, TableInput=wider)
    followed.settle()
    assert "bank_reference" in followed.columns(name, database)
    assert followed.tags(database, name) == before, "a new column has no tag of its own: it inherits unreviewed"
    assert followed.metric("ProductsTagged") == asked + 1

    followed.producer.update_table(DatabaseName=database, TableInput=original)
    followed.settle()
    assert followed.columns(name, database) == [column["Name"] for column in original["StorageDescriptor"]["Columns"]]


def test_a_listed_table_that_is_dropped_and_recreated_keeps_its_tags(followed: Followed) -> None:
    database, name = UNPARTITIONED
    original, before = definition(followed, database, name), followed.tags(database, name)
    assert before
    followed.producer.delete_table(DatabaseName=database, Name=name)
    followed.settle()
    followed.producer.create_table(DatabaseName=database, TableInput=original)
    followed.settle()
    assert followed.tags(database, name) == before
    twin = followed.twin(name, database)
    assert twin is not None
    assert "lakemesh.not_seen_since" not in twin["Parameters"]


def test_a_copy_that_somebody_deleted_comes_back_with_its_tags(followed: Followed) -> None:
    database, name = UNPARTITIONED
    before = followed.tags(database, name)
    followed.central.delete_table(DatabaseName=database, Name=name)
    followed.refresh()
    assert followed.tags(database, name) == before


def test_when_every_event_is_lost_the_refresh_repairs_and_the_one_after_it_writes_nothing(followed: Followed) -> None:
    followed.faults(drop=1.0)
    followed.create("receipt_id")
    followed.add("2026-03-01", "2026-03-02")
    followed.settle()
    assert followed.twin() is None

    followed.refresh()
    assert followed.partitions() == [["2026-03-01"], ["2026-03-02"]]

    point = len(followed.world.journal())
    followed.refresh()
    assert followed.writes(point) == []
    assert followed.waiting(followed.naming.dead_letter_queue) == 0


def test_events_doubled_and_out_of_order_end_in_the_same_twin(followed: Followed) -> None:
    followed.faults(seed=7, duplicate=0.7, delay=0.7, seconds=1.5)
    followed.create("receipt_id")
    followed.add("2026-03-01", "2026-03-02")
    followed.producer.delete_partition(DatabaseName=TWIN, TableName=TABLE, PartitionValues=["2026-03-01"])
    followed.add("2026-03-03")
    followed.drop()
    followed.create("receipt_id", "warehouse")
    followed.add("2026-03-04")
    followed.settle()
    assert followed.columns() == ["receipt_id", "warehouse"]
    assert followed.partitions() == [["2026-03-04"]]


def test_a_poison_message_ends_in_the_dead_letter_queue_and_keeps_nothing_else_back(followed: Followed) -> None:
    url = followed.queue.get_queue_url(QueueName=followed.naming.sync_queue)["QueueUrl"]
    dead = followed.waiting(followed.naming.dead_letter_queue)
    followed.queue.send_message(QueueUrl=url, MessageBody="{not json")
    followed.create("receipt_id")
    followed.settle()
    assert followed.twin() is not None
    for _ in range(6):
        followed.advance(1000)
    assert followed.waiting(followed.naming.dead_letter_queue) == dead + 1
    assert followed.waiting(followed.naming.sync_queue) == 0
    assert followed.metric("MessagesFailed", reason="poison") >= 5
    followed.queue.purge_queue(
        QueueUrl=followed.queue.get_queue_url(QueueName=followed.naming.dead_letter_queue)["QueueUrl"]
    )


def test_events_of_an_account_that_is_no_producer_are_dropped_and_counted(followed: Followed) -> None:
    stranger = followed.world.declarations.mesh.consumers["treasury"].account
    iam, events, glue = (followed.world.root(service, stranger) for service in ("iam", "events", "glue"))
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    send = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": followed.naming.event_bus_arn()}

    def document(statement: dict[str, Any]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    role = iam.create_role(RoleName="forge", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="forge", PolicyName="send", PolicyDocument=document(send))
    events.put_rule(Name="forge", EventPattern='{"source": ["aws.glue"]}')
    target = {"Id": "mesh", "Arn": followed.naming.event_bus_arn(), "RoleArn": role}
    events.put_targets(Rule="forge", Targets=[target])
    before, point = followed.metric("EventsDropped", reason="foreign_account"), len(followed.world.journal())

    glue.create_database(DatabaseInput={"Name": TWIN})
    glue.create_table(DatabaseName=TWIN, TableInput=table_input("forged"))
    followed.settle()

    assert followed.metric("EventsDropped", reason="foreign_account") == before + 2
    assert followed.writes(point) == []
    assert followed.twin() is None
    glue.delete_database(Name=TWIN)
