"""The log in DynamoDB, by a role that holds the portal's policy and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from components.access_log import portal_statements
from components.policy_documents import document
from lakemesh.portal.requests import commands
from lakemesh.portal.requests.commands import Events, RefusedError
from lakemesh.portal.requests.desk import Desk
from lakemesh.portal.requests.fold import fold
from lakemesh.portal.requests.log import ConflictError, DynamoEventLog, requests
from lakemesh.portal.requests.model import Kind, Person, Request, Status
from tests.portal.requests.people import APPROVERS, MARA, NADIA, NONE, NOW, ONE, TOMAS, TWO, ask

ACCOUNT, REGION, TABLE = "123456789012", "eu-west-3", "orchard-access-requests"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
        ],
    }
)


class Cloud:
    """The table, the portal's role, and clients as either."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.root = self.client("dynamodb", aws_access_key_id=ACCOUNT, aws_secret_access_key="x")
        made = self.root.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "request", "KeyType": "HASH"}, {"AttributeName": "sequence", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "request", "AttributeType": "S"}, {"AttributeName": "sequence", "AttributeType": "N"},
            ],
        )  # fmt: skip
        arn = made["TableDescription"]["TableArn"]
        place: Any = {"account": ACCOUNT, "region": REGION, "partition": "aws"}
        iam = self.client("iam", aws_access_key_id=ACCOUNT, aws_secret_access_key="x")
        role = iam.create_role(RoleName="portal", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        text = document(portal_statements(place, arn, f"{arn}-state", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"))
        iam.put_role_policy(RoleName="portal", PolicyName="portal", PolicyDocument=text)
        sts = self.client("sts", aws_access_key_id=ACCOUNT, aws_secret_access_key="x")
        given = sts.assume_role(RoleArn=role, RoleSessionName="portal")["Credentials"]
        self._credentials = {
            "aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }  # fmt: skip
        self.portal = self.client("dynamodb", **self._credentials)
        self.lake = self.client("lakeformation", **self._credentials)

    def client(self, service: str, **credentials: str) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        session = boto3.Session(region_name=REGION)
        return session.client(service, endpoint_url=self._endpoint, config=config, **credentials)  # type: ignore[call-overload]

    def desk(self) -> Desk:
        return Desk(DynamoEventLog(self.client("dynamodb", **self._credentials), TABLE), lambda: NOW)


@pytest.fixture
def cloud(reset: Callable[[], str]) -> Cloud:
    return Cloud(reset())


def submitted(desk: Desk, token: str = "one", approval: Any = ONE) -> Request:  # noqa: S107 - a form's, not a password
    return desk.open(token, lambda name, now: commands.submit(name, ask(), MARA, approval, now, None))


def test_events_come_back_as_they_were_put_and_in_order(cloud: Cloud) -> None:
    desk = cloud.desk()
    request = submitted(desk)
    for number in range(12):  # beyond 9, where text and number sort differently
        desk.act(request.id, lambda one, now, number=number: commands.trouble(one, "ticket", f"try {number}", now))  # type: ignore[misc]
    events = desk.log.events(request.id)
    assert [event.sequence for event in events] == list(range(1, 14))
    assert requests(desk.log) == {request.id: fold(events)}


def test_a_place_is_taken_once(cloud: Cloud) -> None:
    log = cloud.desk().log
    first = commands.submit("REQ-1", ask(), MARA, ONE, NOW, None)
    log.append(first)
    with pytest.raises(ConflictError):
        log.append(first)


def test_two_events_are_added_together_or_not_at_all(cloud: Cloud) -> None:
    log = cloud.desk().log
    submitted_, approved = commands.submit("REQ-1", ask(), MARA, NONE, NOW, None)
    log.append([approved])  # somebody else has the second place
    with pytest.raises(ConflictError):
        log.append([submitted_, approved])
    assert [event.sequence for event in log.events("REQ-1")] == [2]


def test_the_portal_can_change_and_remove_nothing(cloud: Cloud) -> None:
    request = submitted(cloud.desk())
    key = {"request": {"S": request.id}, "sequence": {"N": "1"}}
    calls: list[Callable[[], Any]] = [
        lambda: cloud.portal.delete_item(TableName=TABLE, Key=key),
        lambda: cloud.portal.update_item(TableName=TABLE, Key=key, UpdateExpression="REMOVE body"),
        lambda: cloud.portal.batch_write_item(RequestItems={TABLE: [{"DeleteRequest": {"Key": key}}]}),
        lambda: cloud.portal.delete_table(TableName=TABLE),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    assert cloud.desk().get(request.id) == request


def test_the_portal_cannot_grant(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.lake.grant_permissions(
            Principal={"DataLakePrincipalIdentifier": f"arn:aws:iam::{ACCOUNT}:role/portal"},
            Resource={"Table": {"DatabaseName": "d", "Name": "t"}},
            Permissions=["SELECT"],
        )


RACES: list[tuple[str, list[tuple[str, Callable[[Request, Any], Events]]]]] = [
    ("approve against reject", [
        ("approve", lambda one, now: commands.approve(one, NADIA, ONE, now)),
        ("reject", lambda one, now: commands.reject(one, TOMAS, ONE, "No.", now)),
    ]),
    ("approve against withdraw", [
        ("approve", lambda one, now: commands.approve(one, NADIA, ONE, now)),
        ("withdraw", lambda one, now: commands.withdraw(one, MARA, now)),
    ]),
    ("one approver, many clicks", [
        ("approve", lambda one, now: commands.approve(one, NADIA, ONE, now)) for _ in range(6)
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "moves"), RACES, ids=[name for name, _ in RACES])
def test_whoever_comes_at_once_there_is_one_outcome_and_a_whole_log(
    cloud: Cloud, name: str, moves: list[tuple[str, Callable[[Request, Any], Events]]]
) -> None:
    for round_ in range(3):
        desk = cloud.desk()
        request = submitted(desk, f"{name} {round_}")
        done = at_once([partial(cloud.desk().act, request.id, move) for _, move in moves])
        events = desk.log.events(request.id)
        assert sum(isinstance(one, Request) for one in done) == 1
        assert len(events) == 2
        assert fold(events).status in {Status.APPROVED, Status.REJECTED, Status.WITHDRAWN}


def test_two_approvers_at_once_are_two_approvals(cloud: Cloud) -> None:
    request = submitted(cloud.desk(), approval=TWO)
    people: list[Person] = [NADIA, TOMAS]
    yes: Any = lambda who, one, now: commands.approve(one, who, TWO, now)  # noqa: E731
    at_once([partial(cloud.desk().act, request.id, partial(yes, who)) for who in people])
    after = cloud.desk().get(request.id)
    assert after.status is Status.APPROVED
    assert sorted(one.casefold() for one in after.approvals) == sorted(APPROVERS)
    assert [event.kind for event in cloud.desk().log.events(request.id)].count(Kind.APPROVED) == 2


def test_one_form_sent_many_times_at_once_is_one_request(cloud: Cloud) -> None:
    desks = [cloud.desk() for _ in range(6)]
    made = at_once([partial(submitted, desk, "the same form") for desk in desks])
    assert {one.id for one in made if isinstance(one, Request)} == {made[0].id}  # type: ignore[union-attr]
    assert len(list(cloud.desk().log.every())) == 1


def at_once(calls: list[Callable[[], Request]]) -> list[Request | RefusedError]:
    """Run calls in threads that start together; what each returned or was refused with."""
    gate = threading.Barrier(len(calls))
    done: list[Request | RefusedError] = []

    def run(call: Callable[[], Request]) -> None:
        gate.wait()
        try:
            done.append(call())
        except RefusedError as error:
            done.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(done) == len(calls)
    return done
