"""Events from Glue through buses, rules and queues to functions, on a clock that tests move on."""

from __future__ import annotations

import datetime as dt
import io
import json
import urllib.request
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services import calls, glue_events, organizations, schedules
from local_aws.services.lambda_ import mappings

CENTRAL, PRODUCER, STRANGER = "111122223333", "222233334444", "999988887777"
ORGANIZATION = "o-a1b2c3d4e5"
PATTERN = json.dumps({"source": ["aws.glue"]})
HANDLER = """
def handler(event, context):
    print(len(event["Records"]))
    if any("broken" in record["body"] for record in event["Records"]):
        return {"nonsense": True, "batchItemFailures": [{"wrong": 1}]}
    return {"batchItemFailures": [
        {"itemIdentifier": record["messageId"]} for record in event["Records"] if "bad" in record["body"]
    ]}
"""


def document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@dataclass
class Path:
    """A producer's bus, central's bus and its queue, as a mesh connects them."""

    client: Any
    endpoint: str
    bus: str = ""
    rule: str = ""
    queue: str = ""
    queue_arn: str = ""
    dead: str = ""
    dead_arn: str = ""

    def __post_init__(self) -> None:
        organizations.declare(ORGANIZATION, CENTRAL, [PRODUCER])
        events, sqs = self.client("events", CENTRAL), self.client("sqs", CENTRAL)
        self.bus = events.create_event_bus(Name="mesh")["EventBusArn"]
        condition = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
        statement = {"Sid": "O", "Principal": "*", "Action": "events:PutEvents", "Resource": self.bus}
        events.put_permission(EventBusName="mesh", Policy=document(**statement, Condition=condition))
        self.rule = events.put_rule(Name="glue", EventBusName="mesh", EventPattern=PATTERN)["RuleArn"]
        self.dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.dead_arn = self._arn(self.dead)
        redrive = json.dumps({"deadLetterTargetArn": self.dead_arn, "maxReceiveCount": 2})
        attributes = {"VisibilityTimeout": "60", "RedrivePolicy": redrive}
        self.queue = sqs.create_queue(QueueName="work", Attributes=attributes)["QueueUrl"]
        self.queue_arn = self._arn(self.queue)
        self.let_in(self.rule)
        target = {"Id": "queue", "Arn": self.queue_arn, "DeadLetterConfig": {"Arn": self.dead_arn}}
        events.put_targets(Rule="glue", EventBusName="mesh", Targets=[target])
        self.connect(PRODUCER)

    def _arn(self, url: str) -> str:
        answer = self.client("sqs", CENTRAL).get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def let_in(self, source: str) -> None:
        for url, arn in ((self.queue, self.queue_arn), (self.dead, self.dead_arn)):
            allowed = source if url == self.queue else self.rule
            policy = document(
                Principal={"Service": "events.amazonaws.com"}, Action="sqs:SendMessage", Resource=arn,
                Condition={"ArnEquals": {"aws:SourceArn": allowed}},
            )  # fmt: skip
            self.client("sqs", CENTRAL).set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def connect(self, account: str) -> None:
        iam, events = self.client("iam", account), self.client("events", account)
        trust = document(Principal={"Service": "events.amazonaws.com"}, Action="sts:AssumeRole")
        role = iam.create_role(RoleName="forward", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        allowed = document(Action="events:PutEvents", Resource=self.bus)
        iam.put_role_policy(RoleName="forward", PolicyName="p", PolicyDocument=allowed)
        events.put_rule(Name="forward", EventPattern=PATTERN)
        events.put_targets(Rule="forward", Targets=[{"Id": "bus", "Arn": self.bus, "RoleArn": role}])

    def function(self) -> str:
        iam, functions = self.client("iam", CENTRAL), self.client("lambda", CENTRAL)
        trust = document(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")
        role = iam.create_role(RoleName="fn", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(
            RoleName="fn", PolicyName="p", PolicyDocument=document(Action=["sqs:*", "logs:*"], Resource="*")
        )
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("f.py", HANDLER)
        functions.create_function(
            FunctionName="f", Runtime="python3.13", Handler="f.handler", Role=role, Timeout=10,
            Code={"ZipFile": code.getvalue()},
        )  # fmt: skip
        mapped = functions.create_event_source_mapping(
            FunctionName="f", EventSourceArn=self.queue_arn, BatchSize=50, MaximumBatchingWindowInSeconds=1,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )  # fmt: skip
        return str(mapped["UUID"])

    def control(self, path: str, method: str = "GET", body: Any = None) -> Any:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.endpoint}/_local/{path}", data, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def settle(self) -> None:
        assert self.control("idle") == {"idle": True}

    def advance(self, seconds: int) -> None:
        self.control("advance", "POST", {"seconds": seconds})
        self.settle()

    def waiting(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs", CENTRAL).get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(number) for number in answer["Attributes"].values())

    def bodies(self, url: str = "") -> list[Any]:
        self.settle()
        found = []
        sqs = self.client("sqs", CENTRAL)
        while got := sqs.receive_message(QueueUrl=url or self.queue, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(message["Body"]) for message in got]
            for message in got:
                sqs.delete_message(QueueUrl=url or self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def batches(self) -> list[int]:
        """Sizes of the batches that the function got."""
        found = self.client("logs", CENTRAL).filter_log_events(logGroupName="/aws/lambda/f")["events"]
        return [int(one["message"]) for one in found if one["message"].isdigit()]


@pytest.fixture
def path(aws: Any, client: Any) -> Path:
    return Path(client, aws.endpoint)


def table(client: Any, account: str = PRODUCER) -> Any:
    glue = client("glue", account)
    glue.create_database(DatabaseInput={"Name": "sales"})
    columns = {"Columns": [{"Name": "id", "Type": "int"}]}
    keys = [{"Name": "day", "Type": "string"}, {"Name": "shop", "Type": "string"}]
    glue.create_table(
        DatabaseName="sales", TableInput={"Name": "orders", "PartitionKeys": keys, "StorageDescriptor": columns}
    )
    return glue


def test_a_producers_changes_reach_the_queue_with_the_producers_account_and_resources(path: Path) -> None:
    glue = table(path.client)
    glue.batch_create_partition(
        DatabaseName="sales", TableName="orders", PartitionInputList=[{"Values": ["1", "x"]}, {"Values": ["2", "y"]}]
    )
    glue.batch_create_partition(DatabaseName="sales", TableName="orders", PartitionInputList=[{"Values": ["1", "x"]}])
    glue.delete_table(DatabaseName="sales", Name="orders")
    bodies = path.bodies()
    assert {body["account"] for body in bodies} == {PRODUCER}
    kinds = sorted((body["detail-type"].split()[3], body["detail"]["typeOfChange"]) for body in bodies)
    assert kinds == [
        ("Database", "CreateDatabase"), ("Database", "CreateTable"), ("Database", "DeleteTable"),
        ("Table", "BatchCreatePartition"),
    ]  # fmt: skip
    (created,) = [body for body in bodies if body["detail-type"].split()[3] == "Table"]
    assert created["detail"]["changedPartitions"] == ["[1, x]", "[2, y]"]
    assert created["resources"] == [f"arn:aws:glue:eu-west-1:{PRODUCER}:table/sales/orders"]


def test_events_of_aws_itself_are_nobodys_to_put(path: Path) -> None:
    entry = {"Source": "aws.glue", "DetailType": "x", "Detail": "{}", "EventBusName": path.bus}
    answer = path.client("events", PRODUCER).put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert path.bodies() == []


def test_an_account_outside_the_organization_does_not_reach_the_bus(path: Path) -> None:
    path.connect(STRANGER)
    table(path.client, STRANGER)
    assert path.bodies() == []


def test_a_queue_that_does_not_let_the_rule_send_sends_the_event_to_the_rules_dead_letter_queue(path: Path) -> None:
    path.let_in(path.rule + "-another")
    path.client("glue", PRODUCER).create_database(DatabaseInput={"Name": "sales"})
    assert [body["detail"]["databaseName"] for body in path.bodies(path.dead)] == ["sales"]


def test_a_batch_is_collected_and_what_was_not_done_comes_back_until_it_is_dead(path: Path) -> None:
    path.function()
    sqs = path.client("sqs", CENTRAL)
    for body in ("good", "bad", "fine"):
        sqs.send_message(QueueUrl=path.queue, MessageBody=body)
    path.settle()
    assert path.batches() == [3]
    assert path.waiting(path.queue) == 1
    path.advance(61)
    assert path.batches() == [3, 1]
    path.advance(61)
    assert (path.waiting(path.queue), path.waiting(path.dead)) == (0, 1)
    assert path.batches() == [3, 1], "it is not delivered a third time"


def test_a_response_that_is_not_valid_fails_the_whole_batch(path: Path) -> None:
    path.function()
    for body in ("good", "broken"):
        path.client("sqs", CENTRAL).send_message(QueueUrl=path.queue, MessageBody=body)
    path.settle()
    assert path.waiting(path.queue) == 2


@pytest.mark.parametrize(
    ("payload", "failed"),
    [
        (None, ""), ("null", ""), ("{}", ""), ('{"batchItemFailures": []}', ""), ('{"batchItemFailures": null}', ""),
        ('{"batchItemFailures": [{"itemIdentifier": "a"}]}', "a"),
        ('{"batchItemFailures": [{"itemIdentifier": "z"}]}', "ab"), ('{"batchItemFailures": [{}]}', "ab"),
        ('"text"', "ab"), ("[", "ab"),
    ],
)  # fmt: skip
def test_partial_batch_responses_are_read_as_lambda_reads_them(payload: str | None, failed: str) -> None:
    assert mappings.reported(payload, {"a", "b"}) == set(failed)


def test_a_delayed_message_is_delivered_when_the_clock_is_moved_on(path: Path) -> None:
    path.function()
    path.client("sqs", CENTRAL).send_message(QueueUrl=path.queue, MessageBody="late", DelaySeconds=600)
    path.settle()
    assert path.waiting(path.queue) == 0
    path.advance(601)
    assert path.batches() == [1]


def test_a_mapping_needs_a_role_that_may_receive(path: Path) -> None:
    identifier = path.function()
    functions = path.client("lambda", CENTRAL)
    functions.delete_event_source_mapping(UUID=identifier)
    path.client("iam", CENTRAL).put_role_policy(
        RoleName="fn", PolicyName="p", PolicyDocument=document(Action="logs:*", Resource="*")
    )
    with pytest.raises(ClientError, match="does not have permissions to call ReceiveMessage on SQS"):
        functions.create_event_source_mapping(FunctionName="f", EventSourceArn=path.queue_arn)


def test_a_schedule_falls_due_as_often_as_its_rate_says(path: Path) -> None:
    events = path.client("events", CENTRAL)
    rule = events.put_rule(Name="refresh", ScheduleExpression="rate(6 hours)")["RuleArn"]
    path.let_in(rule)
    events.put_targets(Rule="refresh", Targets=[{"Id": "q", "Arn": path.queue_arn, "Input": '{"action": "refresh"}'}])
    path.advance(6 * 3600 - 60)
    assert path.bodies() == []
    path.advance(13 * 3600)
    assert path.bodies() == [{"action": "refresh"}] * 3
    events.disable_rule(Name="refresh")
    path.advance(12 * 3600)
    assert path.bodies() == []


def test_events_are_lost_and_doubled_as_the_plan_says(path: Path) -> None:
    path.control("faults", "PUT", {"seed": 1, "drop": 1.0})
    table(path.client)
    assert path.bodies() == []
    assert path.control("faults") == {"sent": 2, "dropped": 2}
    path.control("faults", "PUT", {"seed": 1, "duplicate": 1.0, "delay": 0.5, "seconds": 0.1})
    path.client("glue", PRODUCER).delete_table(DatabaseName="sales", Name="orders")
    first, second = path.bodies()
    assert first == second


def test_a_reset_forgets_what_was_under_way(path: Path) -> None:
    path.function()
    path.client("sqs", CENTRAL).send_message(QueueUrl=path.queue, MessageBody="late", DelaySeconds=600)
    calls.reset()
    path.advance(601)
    assert path.control("faults") == {"sent": 0, "dropped": 0}
    assert path.client("sqs", CENTRAL).list_queues().get("QueueUrls", []) == []


def test_a_target_that_is_not_modelled_is_refused_by_name(path: Path) -> None:
    target = {"Id": "f", "Arn": f"arn:aws:states:eu-west-1:{CENTRAL}:stateMachine:f"}
    with pytest.raises(ClientError, match=r"NotImplementedByLocalAws.*target of states"):
        path.client("events", CENTRAL).put_targets(Rule="glue", EventBusName="mesh", Targets=[target])


@pytest.mark.parametrize(
    ("expression", "then"),
    [
        ("rate(5 minutes)", "2026-03-09T12:05:30"),
        ("rate(1 day)", "2026-03-10T12:00:30"),
        ("cron(0 6 * * ? *)", "2026-03-10T06:00:00"),
        ("cron(15 12-14 * * ? *)", "2026-03-09T12:15:00"),
        ("cron(0/20 * * * ? *)", "2026-03-09T12:20:00"),
        ("cron(0 8 ? * TUE,THU *)", "2026-03-10T08:00:00"),
        ("cron(0 0 1 JAN ? *)", "2027-01-01T00:00:00"),
    ],
)
def test_schedule_expressions_fall_due_when_eventbridge_says(expression: str, then: str) -> None:
    now = dt.datetime(2026, 3, 9, 12, 0, 30, tzinfo=dt.UTC).timestamp()
    due = dt.datetime.fromtimestamp(now + schedules.seconds_until_next(expression, now), dt.UTC)
    assert due.strftime("%Y-%m-%dT%H:%M:%S") == then


def test_names_beyond_a_hundred_come_in_further_events() -> None:
    assert [len(some) for some in glue_events._hundreds([str(n) for n in range(250)])] == [100, 100, 50]
