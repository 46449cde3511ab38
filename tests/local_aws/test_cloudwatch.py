"""Metrics from log lines, queues and functions; alarms by the clock that tests move on, and whom they tell."""

from __future__ import annotations

import datetime as dt
import io
import json
import time
import urllib.request
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services import alarms, clock, metrics, rules, sns
from local_aws.services.alarms import State, judge
from local_aws.services.metrics import Metric
from tests.local_aws.conftest import ACCOUNT, REGION, Clients
from tests.local_aws.test_sns import TRUST, document, set_policy

LINE: dict[str, Any] = {
    "_aws": {
        "Timestamp": 0,
        "CloudWatchMetrics": [
            {
                "Namespace": "orchard",
                "Dimensions": [["domain"]],
                "Metrics": [{"Name": "ChangesFailed", "Unit": "Count"}],
            }
        ],
    },
    "domain": "ap",
}


def line(value: Any, domain: str = "ap") -> str:
    made = {**LINE, "_aws": {**LINE["_aws"], "Timestamp": int(time.time() * 1000)}}
    return json.dumps({**made, "domain": domain, "ChangesFailed": value})


def failed(value: Any = 1, domain: str = "ap") -> None:
    metrics.extract(ACCOUNT, REGION, [line(value, domain), "no JSON", '{"_aws": {}}'])


def alarm(client: Clients, name: str = "failed", **more: Any) -> None:
    given = {
        "AlarmName": name, "Namespace": "orchard", "MetricName": "ChangesFailed", "Statistic": "Sum", "Period": 300,
        "EvaluationPeriods": 1, "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching", "Dimensions": [{"Name": "domain", "Value": "ap"}],
    }  # fmt: skip
    client("cloudwatch").put_metric_alarm(**{**given, **more})


def state(client: Clients, name: str = "failed") -> str:
    answer = client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
    return str(found[0]["StateValue"])


# ---------------------------------------------------------------------------------------------------------- metrics
def total(client: Clients, **query: Any) -> list[float]:
    now = dt.datetime.fromtimestamp(clock.now(), dt.UTC)
    answer = client("cloudwatch").get_metric_statistics(
        Namespace="orchard", MetricName="ChangesFailed", Period=86400, Statistics=["Sum"],
        StartTime=now - dt.timedelta(hours=1), EndTime=now + dt.timedelta(hours=1), **query,
    )  # fmt: skip
    return [point["Sum"] for point in answer["Datapoints"]]


def test_a_metric_is_its_name_with_its_dimensions(client: Clients) -> None:
    failed(2)
    failed([3, 4])
    failed(10, "ar")
    assert sum(total(client, Dimensions=[{"Name": "domain", "Value": "ap"}])) == 9
    assert total(client) == [], "without dimensions it is another metric"
    listed = client("cloudwatch").list_metrics(Namespace="orchard")["Metrics"]
    assert sorted(each["Dimensions"][0]["Value"] for each in listed) == ["ap", "ar"]


def test_data_are_read_as_they_were_put(client: Clients) -> None:
    cloudwatch = client("cloudwatch")
    dimensions = [{"Name": "domain", "Value": "ap"}]
    stats = {"SampleCount": 2, "Sum": 6, "Minimum": 1, "Maximum": 5}
    cloudwatch.put_metric_data(
        Namespace="orchard",
        MetricData=[
            {"MetricName": "ChangesFailed", "Dimensions": dimensions, "StatisticValues": stats},
            {"MetricName": "ChangesFailed", "Dimensions": dimensions, "Values": [7], "Counts": [2]},
        ],
    )
    now = dt.datetime.fromtimestamp(clock.now(), dt.UTC)
    stat = {
        "Metric": {"Namespace": "orchard", "MetricName": "ChangesFailed", "Dimensions": dimensions},
        "Period": 86400,
    }
    wanted = {"SampleCount": 4.0, "Sum": 20.0, "Average": 5.0, "Minimum": 1.0, "Maximum": 7.0}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": name.lower(), "MetricStat": {**stat, "Stat": name}} for name in wanted],
        StartTime=now - dt.timedelta(seconds=1), EndTime=now + dt.timedelta(hours=1),
    )  # fmt: skip
    found = {each["Id"]: each["Values"] for each in answer["MetricDataResults"]}
    assert found == {name.lower(): [value] for name, value in wanted.items()}


def test_only_aws_writes_its_own_namespaces(client: Clients) -> None:
    with pytest.raises(ClientError, match="Namespace"):
        client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[{"MetricName": "x", "Value": 1}])


def test_a_queue_tells_what_lies_in_it_and_for_how_long(client: Clients) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    queue = frozenset({("QueueName", "work")})
    visible = Metric(ACCOUNT, REGION, "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue)
    oldest = Metric(ACCOUNT, REGION, "AWS/SQS", "ApproximateAgeOfOldestMessage", queue)

    def of(metric: Metric) -> float | None:
        return metrics.value(metric, "Maximum", clock.now() - 60, clock.now())

    assert (of(visible), of(oldest)) == (0, 0)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    clock.advance(600)
    assert of(visible) == 1
    assert 599 < (of(oldest) or 0) < 660
    assert metrics.value(visible, "Maximum", clock.now() - 900, clock.now() - 660) == 0, "before it was sent"
    metrics.observe(visible)
    sqs.purge_queue(QueueUrl=url)
    assert of(visible) == 1, "what was seen is remembered"
    clock.advance(61)
    assert of(visible) == 0
    assert of(Metric(ACCOUNT, REGION, "AWS/SQS", visible.name, frozenset({("QueueName", "none")}))) is None


def test_a_function_tells_its_invocations_errors_and_throttles(client: Clients) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    metrics.of_function(arn, invocations=1, errors=1, duration=12.5)
    metrics.of_function(arn, invocations=1)
    metrics.of_function(arn, throttles=1)

    def of(name: str) -> float | None:
        metric = Metric(ACCOUNT, REGION, "AWS/Lambda", name, frozenset({("FunctionName", "f")}))
        return metrics.value(metric, "Sum", clock.now() - 60, clock.now())

    assert [of(name) for name in ("Invocations", "Errors", "Throttles", "Duration")] == [2, 1, 1, 12.5]


PROGRAM = """
import json, time
def handler(event, context):
    metric = {"Namespace": "orchard", "Dimensions": [["domain"]], "Metrics": [{"Name": "ChangesFailed"}]}
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    print(json.dumps({"_aws": about, "domain": "ap", "ChangesFailed": event["failed"]}))
    if event["failed"] > 1:
        raise ValueError("too many")
"""


def test_a_functions_lines_and_its_errors_become_metrics_at_the_clocks_time(client: Clients) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", PROGRAM)
    role = client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    writes = document({"Action": "logs:*", "Resource": "*"})
    client("iam").put_role_policy(RoleName="fn", PolicyName="p", PolicyDocument=writes)
    client("lambda").create_function(
        FunctionName="f", Role=role, Handler="app.handler", Runtime="python3.13", Timeout=10,
        Code={"ZipFile": buffer.getvalue()},
    )  # fmt: skip
    dimensions = [{"Name": "FunctionName", "Value": "f"}]
    alarm(client, "errors", Namespace="AWS/Lambda", MetricName="Errors", Dimensions=dimensions)
    alarm(client)
    clock.advance(86400)
    client("lambda").invoke(FunctionName="f", Payload=b'{"failed": 1}')
    assert (state(client), state(client, "errors")) == ("ALARM", "OK")
    client("lambda").invoke(FunctionName="f", Payload=b'{"failed": 2}')
    assert state(client, "errors") == "ALARM"
    assert sum(total(client, Dimensions=[{"Name": "domain", "Value": "ap"}])) == 3


# ------------------------------------------------------------------------------------------------------- evaluation
@pytest.mark.parametrize(
    ("points", "needed", "expected"),
    [
        # The examples of "Configuring how CloudWatch alarms treat missing data", the oldest first, as it writes them:
        # states where missing data are missing, ignored (K: kept), breaching, not breaching.
        ("0-X-X", 3, "OK OK OK OK"),
        ("----0", 3, "OK OK OK OK"),
        ("-----", 3, "INSUFFICIENT_DATA K ALARM OK"),
        ("0XX-X", 3, "ALARM ALARM ALARM ALARM"),
        ("--X--", 3, "ALARM K ALARM OK"),
        ("0-X-X", 2, "ALARM ALARM ALARM ALARM"),
        ("00X0X", 2, "ALARM ALARM ALARM ALARM"),
        ("0-X--", 2, "OK OK ALARM OK"),
        ("----0", 2, "OK OK ALARM OK"),
        ("---X-", 2, "ALARM K ALARM OK"),
    ],
)
def test_missing_data_are_treated_as_the_user_guide_says(points: str, needed: int, expected: str) -> None:
    newest_first = [{"X": True, "0": False, "-": None}[point] for point in reversed(points)]
    for treatment, wanted in zip(("missing", "ignore", "breaching", "notBreaching"), expected.split(), strict=True):
        for before in State:
            found = judge(newest_first, 3, needed, treatment, before)
            assert found == (before if wanted == "K" else State(wanted)), treatment


def test_an_alarm_waits_for_enough_breaching_periods(client: Clients) -> None:
    alarm(client, EvaluationPeriods=3, DatapointsToAlarm=2)
    assert state(client) == "OK"
    failed()
    assert state(client) == "OK", "one of three"
    clock.advance(300)
    failed()
    assert state(client) == "ALARM"
    clock.advance(900)
    assert state(client) == "ALARM", "real data points in the evaluation range count before missing ones do"
    clock.advance(900)
    assert state(client) == "OK", "missing is not breaching"


def test_silence_is_an_alarm_where_missing_data_breach(client: Clients) -> None:
    alarm(client, MetricName="OldestSuccessSeconds", TreatMissingData="breaching", Threshold=3600.0)
    assert state(client) == "ALARM"
    alarm(client, TreatMissingData="breaching")
    failed(0)
    assert state(client) == "OK"
    clock.advance(3600)
    assert state(client) == "ALARM"


def test_alarms_are_evaluated_when_the_local_aws_is_waited_for(client: Clients) -> None:
    topic = client("sns").create_topic(Name="operators")["TopicArn"]
    alarm(client, AlarmActions=[topic], OKActions=[topic], AlarmDescription="See the runbook.")
    failed()
    with urllib.request.urlopen(f"{client.endpoint}/_local/idle?timeout=5") as answer:  # noqa: S310 - loopback
        assert json.load(answer) == {"idle": True}
    (told,) = sns.published(topic)
    message = json.loads(told["message"])
    assert told["subject"] == f'ALARM: "failed" in {REGION}'
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert message["AlarmDescription"] == "See the runbook."
    alarms.evaluate_all()
    assert len(sns.published(topic)) == 1, "it tells of changes"
    clock.advance(3600)
    alarms.evaluate_all()
    assert [each["subject"][:3] for each in sns.published(topic)] == ["ALA", "OK:"]


def test_a_topic_that_does_not_let_alarms_in_gets_nothing(client: Clients) -> None:
    topic = client("sns").create_topic(Name="operators")["TopicArn"]
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    set_policy(client, topic, {"Principal": root, "Action": "sns:Publish", "Resource": topic})
    alarm(client, AlarmActions=[topic])
    failed()
    assert state(client) == "ALARM"
    assert sns.published(topic) == []


def test_a_composite_alarm_goes_by_the_states_of_others(client: Clients) -> None:
    alarm(client, "a")
    alarm(client, "b", Dimensions=[{"Name": "domain", "Value": "ar"}])
    cloudwatch = client("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("a") AND ALARM(b)')
    cloudwatch.put_composite_alarm(AlarmName="top", AlarmRule="ALARM(both)")
    failed()
    assert (state(client, "both"), state(client, "top")) == ("OK", "OK")
    failed(1, "ar")
    assert (state(client, "both"), state(client, "top")) == ("ALARM", "ALARM")
    assert cloudwatch.describe_alarms()["CompositeAlarms"] == [], "only metric alarms unless asked"
    assert [each["AlarmName"] for each in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]] == ["a", "b"]


def test_alarms_that_a_rule_names_exist_before_it_and_after(client: Clients) -> None:
    cloudwatch = client("cloudwatch")
    with pytest.raises(ClientError, match="do not exist"):
        cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    alarm(client, "a")
    cloudwatch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    with pytest.raises(ClientError, match="depending"):
        cloudwatch.delete_alarms(AlarmNames=["a"])
    cloudwatch.delete_alarms(AlarmNames=["a", "c"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("a b") OR OK(c)', True),
        ("NOT ALARM(x) AND OK(c)", False),
        ("NOT (ALARM(x) AND FALSE)", True),
        ("FALSE AND TRUE OR TRUE", True),
        ("INSUFFICIENT_DATA(arn:aws:cloudwatch:eu-west-1:111122223333:alarm:c)", True),
    ],
)
def test_a_rule_is_read_with_not_before_and_before_or(rule: str, expected: bool) -> None:
    assert rules.parse(rule).holds({"a b": "ALARM", "x": "OK", "c": "INSUFFICIENT_DATA"}) is expected


@pytest.mark.parametrize(
    "rule", ["", "ALARM(a", "ALARM(a) ALARM(b)", "(ALARM(a)", "AND ALARM(a)", "ALARM(a) XOR OK(b)"]
)
def test_a_rule_that_cannot_be_read_is_refused(rule: str) -> None:
    with pytest.raises(rules.RuleError):
        rules.parse(rule)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm"),
        ({"Period": 61}, "Period"),
        ({"EvaluationPeriods": 300}, "more than a day"),
        ({"TreatMissingData": "bad"}, "bad"),
        ({"AlarmActions": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"]}, "no topic"),
        ({"ExtendedStatistic": "p99"}, "ExtendedStatistic"),
    ],
)
def test_an_alarm_that_cannot_be_is_refused(client: Clients, more: dict[str, Any], text: str) -> None:
    with pytest.raises(ClientError, match=text):
        alarm(client, **more)


# --------------------------------------------------------------------------------------------------------------- IAM
def test_alarms_metrics_and_dashboards_take_their_permissions(client: Clients) -> None:
    alarm_arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:mine"
    board = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/mine"
    arn = client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    namespace = {"StringEquals": {"cloudwatch:namespace": "orchard"}}
    allowed = document(
        {"Action": "cloudwatch:PutMetricAlarm", "Resource": alarm_arn},
        {"Action": "cloudwatch:PutDashboard", "Resource": board},
        {"Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": namespace},
    )
    client("iam").put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=allowed)
    cloudwatch = client.role(arn, "cloudwatch")
    cloudwatch.put_dashboard(DashboardName="mine", DashboardBody='{"widgets": []}')
    data = [{"MetricName": "x", "Value": 1.0}]
    cloudwatch.put_metric_data(Namespace="orchard", MetricData=data)
    for refused in (
        lambda: cloudwatch.put_metric_data(Namespace="other", MetricData=data),
        lambda: cloudwatch.put_dashboard(DashboardName="other", DashboardBody='{"widgets": []}'),
        cloudwatch.describe_alarms,
    ):
        with pytest.raises(ClientError) as caught:
            refused()
        assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_a_dashboard_is_json_with_widgets(client: Clients) -> None:
    cloudwatch = client("cloudwatch")
    for body in ("{", "[]", "{}", '{"widgets": [{}]}'):
        with pytest.raises(ClientError, match="DashboardBody"):
            cloudwatch.put_dashboard(DashboardName="d", DashboardBody=body)
    cloudwatch.put_dashboard(DashboardName="d", DashboardBody='{"widgets": [{"type": "text"}]}')
    assert [each["DashboardName"] for each in cloudwatch.list_dashboards()["DashboardEntries"]] == ["d"]
    cloudwatch.delete_dashboards(DashboardNames=["d"])
    with pytest.raises(ClientError, match="does not exist"):
        cloudwatch.get_dashboard(DashboardName="d")
