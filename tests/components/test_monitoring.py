"""Topics, alarms and the dashboard: who hears of what, and where the runbook is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components import CentralAccount, Domain
from components.alarms import runbooks
from local_aws.services.alarms import State, judge
from tests.components.build import build
from tests.components.given import CENTRAL, arguments_of
from tests.program.engine import Engine

ROOT = Path(__file__).parents[2]
URL = "https://git.example/mesh/docs/runbooks/"
OPERATORS = f"arn:aws:sns:eu-west-3:{CENTRAL}:orchard-operators"


@pytest.fixture(scope="module")
def central() -> Engine:
    more = {"runbooks": URL, "operators": ["ops@orchard.example"], "domains": ["fruit", "shop"],
            "notify_consumers": {"bank": ["data@bank.example"], "press": []}}  # fmt: skip
    return build(Engine(), CentralAccount, arguments_of("CentralAccount") | more)


@pytest.fixture(scope="module")
def domain() -> Engine:
    monitoring = {
        "account": CENTRAL, "region": "eu-west-3", "partition": "aws", "mesh": "orchard", "domain": "fruit",
        "key_alias": "alias/orchard-sync", "operators_topic_arn": OPERATORS, "emails": ["ann@orchard.example"],
        "refresh_seconds": 21600, "runbooks": URL, "sync_function": "orchard-sync", "review_function": "orchard-review",
    }  # fmt: skip
    return build(Engine(), Domain, arguments_of("Domain") | {"monitoring": monitoring})


def alarms(engine: Engine) -> list[Any]:
    return [*engine.of("MetricAlarm"), *engine.of("CompositeAlarm")]


@pytest.mark.parametrize("side", ["central", "domain"])
def test_every_alarm_tells_somebody_when_it_begins_and_when_it_ends(side: str, request: pytest.FixtureRequest) -> None:
    for alarm in alarms(request.getfixturevalue(side)):
        assert alarm["alarmActions"] == alarm["okActions"]
        assert alarm["alarmActions"]


@pytest.mark.parametrize("side", ["central", "domain"])
def test_every_alarm_says_what_is_wrong_and_links_to_its_runbook(side: str, request: pytest.FixtureRequest) -> None:
    for alarm in alarms(request.getfixturevalue(side)):
        name = str(alarm.inputs.get("name") or alarm["alarmName"])
        runbook = name.removeprefix("orchard-").removeprefix("fruit-")
        assert alarm["alarmDescription"].endswith(f" Runbook: {URL}{runbook}.md")
        assert (ROOT / "docs" / "runbooks" / f"{runbook}.md").is_file()


def test_there_is_a_runbook_for_every_alarm_and_no_other() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
    assert pages == set(runbooks())


def test_dead_letters_are_counted_and_an_idle_queue_is_no_alarm(central: Engine) -> None:
    alarm = central.one("MetricAlarm", "it-monitoring-alarms-sync-dead-letters")
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["dimensions"] == {"QueueName": "orchard-sync-dead-letters"}
    assert (alarm["threshold"], alarm["treatMissingData"]) == (0, "notBreaching")


def test_a_domain_that_nothing_tells_of_is_in_alarm(domain: Engine) -> None:
    late = domain.one("MetricAlarm", "it-monitoring-alarms-sync-late")
    assert late["treatMissingData"] == "breaching"
    assert late["threshold"] == 2 * 21600
    assert late["dimensions"] == {"domain": "fruit", "service": "orchard-sync"}
    silent = [one["metricName"] for one in domain.of("MetricAlarm") if one["treatMissingData"] != "breaching"]
    assert "OldestSuccessSeconds" not in silent


def fires(alarm: Any, values: list[float | None], state: State = State.OK) -> bool:
    """Whether an alarm that was in `state` is in alarm after periods of these values, the newest first."""
    marks = [None if value is None else value > alarm["threshold"] for value in values]
    wanted, needed = int(alarm["evaluationPeriods"]), int(alarm["datapointsToAlarm"])
    return judge(marks, wanted, needed, alarm["treatMissingData"], state) is State.ALARM


def test_one_error_a_quarter_of_an_hour_is_heard_of_because_a_quiet_mesh_has_no_more(central: Engine) -> None:
    alarm = central.one("MetricAlarm", "it-monitoring-alarms-sync-errors")
    assert alarm["period"] == 900
    assert fires(alarm, [1, 1, None, None])
    assert not fires(alarm, [1, None, None, None])


def test_a_change_whose_five_tries_failed_is_heard_of_and_one_that_a_second_try_heals_is_not(domain: Engine) -> None:
    alarm = domain.one("MetricAlarm", "it-monitoring-alarms-changes-failed")
    assert fires(alarm, [5, None, None])
    assert fires(alarm, [3, None, None])  # the other two fell into the period before or after
    assert not fires(alarm, [1, None, None])


def test_one_late_change_is_heard_of_although_no_other_follows(domain: Engine) -> None:
    assert fires(domain.one("MetricAlarm", "it-monitoring-alarms-catalog-lag"), [4000, None, None])


@pytest.mark.parametrize("name", ["products-stale", "sources-absent", "tables-held"])
def test_a_watch_that_falls_silent_mends_nothing(name: str, domain: Engine) -> None:
    alarm = domain.one("MetricAlarm", f"it-monitoring-alarms-{name}")
    assert fires(alarm, [1, 1, None, None])
    assert fires(alarm, [None, None, None, None], State.ALARM)
    assert not fires(alarm, [0, 0, None, None], State.ALARM)


def test_owners_hear_of_each_alarm_and_operators_once_for_all(domain: Engine) -> None:
    (composite,) = domain.of("CompositeAlarm")
    assert composite["alarmActions"] == [OPERATORS]
    assert composite["alarmRule"].count("ALARM(") == len(domain.of("MetricAlarm"))
    owners = {action for one in domain.of("MetricAlarm") for action in one["alarmActions"]}
    assert len(owners) == 1
    assert OPERATORS not in owners


def test_topics_are_encrypted_and_only_alarms_and_tls_publish(central: Engine) -> None:
    names = sorted(one["name"] for one in central.of("aws:sns/topic:Topic"))
    assert names == ["orchard-consumer-bank", "orchard-operators"]
    assert all(one["kmsMasterKeyId"].endswith("it-queue-key") for one in central.of("aws:sns/topic:Topic"))
    policy = json.loads(central.one("TopicPolicy", "it-monitoring-operators-policy")["policy"])
    allowed, denied = policy["Statement"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": CENTRAL}
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    subscribed = sorted(one["endpoint"] for one in central.of("TopicSubscription"))
    assert subscribed == ["data@bank.example", "ops@orchard.example"]


def test_alarms_may_use_the_key_of_the_topics(central: Engine) -> None:
    key = next(one for one in central.of("Key") if "messages" in one["description"])
    statement = next(one for one in json.loads(key["policy"])["Statement"] if one["Sid"] == "AlarmsTell")
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_the_sync_role_may_use_the_key_of_the_topics_through_sns_alone(central: Engine) -> None:
    policy = json.loads(central.one("RolePolicy", "it-sync-policy")["policy"])
    statement = next(one for one in policy["Statement"] if one["Sid"] == "TopicsKey")
    assert statement["Condition"]["StringEquals"]["kms:ViaService"].startswith("sns.")


def test_the_dashboard_shows_every_domain_and_fits_its_grid(central: Engine) -> None:
    body = json.loads(central.one("Dashboard")["dashboardBody"])
    text = json.dumps(body)
    assert '"fruit"' in text
    assert '"shop"' in text
    assert f"arn:aws:cloudwatch:eu-west-3:{CENTRAL}:alarm:orchard-fruit-unhealthy" in text
    taken: set[tuple[int, int]] = set()
    for widget in body["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_without_runbooks_there_is_no_monitoring() -> None:
    engine = build(Engine(), CentralAccount, arguments_of("CentralAccount"))
    assert alarms(engine) == []
