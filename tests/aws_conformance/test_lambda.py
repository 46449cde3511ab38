"""Lambda, as Pulumi's Invocation uses it: a function's answer, its errors, and what it needs to run."""

from __future__ import annotations

import io
import json
import zipfile
from functools import partial
from typing import Any

from tests.aws_conformance.accounts import allow, trust
from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import Lake
from tests.aws_conformance.waiting import eventually, patiently, refused

DOCUMENTED, INFERRED = Confidence.DOCUMENTED, Confidence.INFERRED
LAMBDA = {"Service": "lambda.amazonaws.com"}
SOURCE = """
import json, os, sys
def handler(event, context):
    what = event.get("do")
    if what == "fail":
        raise ValueError("no such thing")
    if what == "who":
        import boto3
        return boto3.client("sts").get_caller_identity()["Arn"]
    if what == "sleep":
        import time
        time.sleep(10)
    if what == "print":
        print("a line")
    if what == "modules":
        import importlib.util
        return [importlib.util.find_spec(name) is not None for name in ("boto3", "pydantic")]
    return {"got": event, "setting": os.environ.get("SETTING")}
"""


def function(lake: Lake, **more: Any) -> str:
    """A function of the owner; its name."""
    lambda_, name = lake.owner("lambda"), lake.names("handler")
    role = lake.owner.role(lake.undo, lake.names("handler-role"), trust(LAMBDA), allow("sts:GetCallerIdentity"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), SOURCE)
    given = {
        "FunctionName": name, "Role": role, "Handler": "app.handler", "Runtime": "python3.13",
        "Code": {"ZipFile": buffer.getvalue()}, "Timeout": 30,
    }  # fmt: skip
    lake.undo.later(lambda_.delete_function, FunctionName=name)
    patiently(lambda_.create_function, **{**given, **more})

    def active() -> None:
        assert lambda_.get_function_configuration(FunctionName=name)["State"] == "Active"

    eventually(active)
    return name


def call(lake: Lake, name: str, event: Any) -> tuple[Any, dict[str, Any]]:
    answer = patiently(lake.owner("lambda").invoke, FunctionName=name, Payload=json.dumps(event).encode())
    return json.loads(answer["Payload"].read()), answer


@assumption("LAMBDA invocation-sync", DOCUMENTED)
def test_an_invocation_returns_the_result(lake: Lake) -> None:
    """A synchronous invocation answers 200 with the function's result as JSON, and no FunctionError."""
    name = function(lake, Environment={"Variables": {"SETTING": "x"}})
    result, answer = call(lake, name, {"a": [1, None, "ü"]})
    assert result == {"got": {"a": [1, None, "ü"]}, "setting": "x"}
    assert (answer["StatusCode"], answer.get("FunctionError")) == (200, None)


@assumption("LAMBDA python-exceptions", DOCUMENTED)
def test_an_exception_is_an_answer(lake: Lake) -> None:
    """A function's exception answers 200 with FunctionError, and errorType and errorMessage as its payload.

    So an Invocation fails in Pulumi with the handler's own words: lakemesh's handlers raise what a person can act on.
    """
    result, answer = call(lake, function(lake), {"do": "fail"})
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert (result["errorType"], result["errorMessage"]) == ("ValueError", "no such thing")


@assumption("LAMBDA lambda-intro-execution-role", DOCUMENTED)
def test_a_function_acts_as_its_role(lake: Lake) -> None:
    """A function acts as its execution role, in a session named after the function."""
    name = function(lake)
    result, _ = call(lake, name, {"do": "who"})
    assert ":assumed-role/" in result, result
    assert result.endswith(f"/{name}"), result


@assumption("LAMBDA lambda-python", DOCUMENTED)
def test_boto3_comes_with_the_runtime(lake: Lake) -> None:
    """The Python runtime has boto3 and none of the other packages that lakemesh uses: bundles bring theirs."""
    assert call(lake, function(lake), {"do": "modules"})[0] == [True, False]


@assumption("LAMBDA lambda-intro-execution-role", DOCUMENTED)
def test_a_role_must_trust_lambda(lake: Lake) -> None:
    """CreateFunction with a role that Lambda may not assume is InvalidParameterValueException."""
    role = lake.owner.role(lake.undo, lake.names("wrong-role"), trust(lake.owner.root))
    name, lambda_ = lake.names("handler"), lake.owner("lambda")
    lake.undo.later(lambda_.delete_function, FunctionName=name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", SOURCE)
    refused(
        "InvalidParameterValueException", lambda_.create_function, match="cannot be assumed",
        FunctionName=name, Role=role, Handler="app.handler", Runtime="python3.13",
        Code={"ZipFile": buffer.getvalue()},
    )  # fmt: skip


@assumption("LAMBDA gettingstarted-limits", DOCUMENTED)
def test_variables_have_four_kilobytes(lake: Lake) -> None:
    """A function's environment variables are 4 KB together at most: the manifest travels in the bundle instead."""
    role = lake.owner.role(lake.undo, lake.names("handler-role"), trust(LAMBDA))
    name, lambda_ = lake.names("handler"), lake.owner("lambda")
    lake.undo.later(lambda_.delete_function, FunctionName=name)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", SOURCE)
    create = partial(
        refused, "InvalidParameterValueException", lambda_.create_function, match="4KB|4096",
        FunctionName=name, Role=role, Handler="app.handler", Runtime="python3.13",
        Code={"ZipFile": buffer.getvalue()}, Environment={"Variables": {"BIG": "x" * 5000}},
    )  # fmt: skip
    eventually(create)


@assumption("LAMBDA access-control-resource-based", DOCUMENTED)
def test_another_account_invokes_by_the_functions_policy(lake: Lake) -> None:
    """A role of another account invokes a function once the function's own policy lets it, besides its own."""
    name = function(lake)
    arn = lake.owner("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    invoke = partial(lake.reader("lambda").invoke, FunctionName=arn, Payload=b"{}")
    refused("AccessDeniedException", invoke)
    lake.owner("lambda").add_permission(
        FunctionName=name, StatementId="reader", Action="lambda:InvokeFunction", Principal=lake.reader.arn
    )
    eventually(invoke)


@assumption("LAMBDA configuration-concurrency", INFERRED)
def test_new_code_is_ready_after_a_while(lake: Lake) -> None:
    """After UpdateFunctionConfiguration a function answers with the new configuration once LastUpdateStatus says so."""
    name = function(lake)
    lambda_ = lake.owner("lambda")
    patiently(lambda_.update_function_configuration, FunctionName=name, Environment={"Variables": {"SETTING": "new"}})

    def new() -> None:
        assert lambda_.get_function_configuration(FunctionName=name).get("LastUpdateStatus") == "Successful"
        assert call(lake, name, {})[0]["setting"] == "new"

    eventually(new)


@assumption("LAMBDA gettingstarted-limits", DOCUMENTED)
def test_an_event_has_six_megabytes(lake: Lake) -> None:
    """A synchronous invocation with more than 6 MB is refused as too large.

    The reference's code for it is not the one that people report: either is taken. lakemesh invokes a function for one
    table, or for the accounts' settings, and never with data.
    """
    name = function(lake)
    payload = json.dumps("x" * (6 * 1024 * 1024 + 10)).encode()
    too_large = ("RequestTooLargeException", "RequestEntityTooLargeException")
    refused(too_large, lake.owner("lambda").invoke, FunctionName=name, Payload=payload)


@assumption("LAMBDA configuration-timeout", DOCUMENTED)
def test_a_function_is_ended_at_its_timeout(lake: Lake) -> None:
    """A function that runs longer than its timeout is ended; its answer's errorMessage says "Task timed out".

    lakemesh's handlers stop before their time is over and say what remains.
    """
    result, answer = call(lake, function(lake, Timeout=1), {"do": "sleep"})
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 1.00 seconds" in result["errorMessage"], result


@assumption("LAMBDA monitoring-cloudwatchlogs", DOCUMENTED)
def test_without_log_permissions_a_function_still_runs(lake: Lake) -> None:
    """A function whose role may not write logs runs all the same, and its lines are lost."""
    result, answer = call(lake, function(lake), {"do": "print"})
    assert (result["got"], answer.get("FunctionError")) == ({"do": "print"}, None)
