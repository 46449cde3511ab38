"""What bootstrap allows for topics, alarms and dashboards suffices for their whole life, and no statement is spare."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from lakemesh.bootstrap.monitoring_permissions import alarms, dashboards, topics
from lakemesh.bootstrap.places import Place, places
from lakemesh.declarations.models import Declarations
from local_aws.provider.connection import Credentials, ProviderError
from local_aws.provider.values import properties
from local_aws.server import LocalAws
from local_aws.services import iam, identity, policy, sns
from tests.local_aws.conftest import Clients
from tests.local_aws.test_provider import LAMBDA_TRUST, Cloud, Made
from tests.local_aws.test_provider_monitoring import (
    ALARM,
    BODY,
    COMPOSITE,
    DASHBOARD,
    SUBSCRIPTION,
    TOPIC,
    TOPIC_POLICY,
)
from tests.local_aws.test_provider_monitoring import policy as topic_policy

READ_BACK = {"cloudwatch:ListTagsForResource", "sns:ListTagsForResource"}
"""What the real provider reads back of every such resource, and the local one does not."""
Statements = list[Mapping[str, Any]]
Asked = list[tuple[policy.Request, bool]]


@pytest.fixture
def central(sample: Declarations) -> Place:
    return places(sample)[0]


@pytest.fixture
def statements(central: Place) -> Statements:
    return [*topics(central), *alarms(central), *dashboards(central)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Every permission that was asked for."""
    kept: Asked = []
    permitted = iam.permitted

    def remembered(who: Any, action: str, resource: str, **given: Any) -> bool:
        allowed = permitted(who, action, resource, **given)
        if not who.is_root:
            kept.append((policy.Request(action, resource, iam.context(who, given.get("owner"))), allowed))
        return allowed

    monkeypatch.setattr(iam, "permitted", remembered)
    return kept


@pytest.fixture
def deployer(aws: LocalAws, client: Clients, central: Place) -> Callable[[Statements], Cloud]:
    """A provider that acts as a role with some statements."""

    def become(some: Statements) -> Cloud:
        document = json.dumps({"Version": "2012-10-17", "Statement": some})
        made = client("iam", central.account).create_role(RoleName="deployer", AssumeRolePolicyDocument=LAMBDA_TRUST)
        client("iam", central.account).put_role_policy(RoleName="deployer", PolicyName="p", PolicyDocument=document)
        session = identity.issue(identity.role(made["Role"]["Arn"], "test"))
        cloud = Cloud(aws.endpoint, region=central.mesh.region)
        base = Credentials(session.access_key_id, session.secret_access_key, session.session_token)
        cloud.provider._base = base
        connection = cloud.provider._connection
        assert connection is not None
        cloud.provider._connection = type(connection)(connection.endpoint, base, connection.config)
        return cloud

    return become


def named(cloud: Cloud, kind: str, name: str, **news: Any) -> Made:
    """A resource with a chosen name: `Cloud.create` takes its `name` for the logical one."""
    checked = cloud.check(kind, {"name": name, **news})
    assert not checked.failures
    request = pb.CreateRequest(urn=cloud.urn(kind, "thing"), properties=checked.inputs)
    answer = cloud.provider.Create(request)
    return Made(cloud, kind, "thing", answer.id, properties(checked.inputs), properties(answer.properties))


def live(cloud: Cloud, mesh: str) -> None:
    """Make, change and delete one of each."""
    topic = named(cloud, TOPIC, f"{mesh}-operators", displayName="Operators", tags={"a": "b"})
    allowing = cloud.create(TOPIC_POLICY, arn=topic.id, policy=topic_policy(topic.id, "sns:Publish"))
    subscription = cloud.create(SUBSCRIPTION, topic=topic.id, protocol="email", endpoint="a@example.org")
    sns.confirm("a@example.org")
    given = {
        "namespace": mesh, "metricName": "ChangesFailed", "statistic": "Sum", "period": 300, "evaluationPeriods": 1,
        "threshold": 0, "comparisonOperator": "GreaterThanThreshold", "alarmActions": [topic.id], "tags": {"a": "b"},
    }  # fmt: skip
    alarm = named(cloud, ALARM, f"{mesh}-failed", **given)
    names = {"alarmName": f"{mesh}-any", "alarmRule": f'ALARM("{mesh}-failed")'}
    composite = cloud.create(COMPOSITE, **names)
    board = cloud.create(DASHBOARD, dashboardName=mesh, dashboardBody=BODY)
    topic.update(displayName="People", tags={"c": "d"})
    alarm.update(threshold=1, tags={"c": "d"})
    for made in (board, composite, alarm, subscription, allowing, topic):
        assert made.read() is not None
        made.delete()


def covers(some: Iterable[Mapping[str, Any]], request: policy.Request) -> bool:
    return policy.decide(some, request) is policy.Decision.ALLOW


def test_their_whole_life_is_allowed_and_every_action_is_used(
    deployer: Callable[[Statements], Cloud], statements: Statements, central: Place, asked: Asked
) -> None:
    live(deployer(statements), central.mesh.name)
    assert [request for request, allowed in asked if not allowed] == []
    used = {request.action for request, _ in asked}
    assert {action for each in statements for action in each["Action"]} - used == READ_BACK
    spare = [
        each["Sid"]
        for each in statements
        if all(covers([o for o in statements if o is not each], r) for r, _ in asked if covers([each], r))
    ]
    assert spare == []


@pytest.mark.parametrize("sid", ["Alarms", "Dashboards", "FindAlarms", "Subscriptions", "Topics"])
def test_without_a_statement_something_is_refused(
    sid: str, deployer: Callable[[Statements], Cloud], statements: Statements, central: Place
) -> None:
    cloud = deployer([each for each in statements if each["Sid"] != sid])
    with pytest.raises(ProviderError, match="not authorized"):
        live(cloud, central.mesh.name)


def test_alarms_of_others_are_out_of_reach(deployer: Callable[[Statements], Cloud], statements: Statements) -> None:
    with pytest.raises(ProviderError, match="not authorized"):
        live(deployer(statements), "another")
