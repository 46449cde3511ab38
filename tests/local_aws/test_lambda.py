"""Lambda over boto3: functions that behave, and functions that do not."""

from __future__ import annotations

import base64
import io
import json
import textwrap
import zipfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services.lambda_.functions import functions, stop_workers
from tests.local_aws.test_iam import ANYONE_HERE, HOME, OTHER, code, may, role, trust

LAMBDA = {"Service": "lambda.amazonaws.com"}
REGION = "eu-west-1"
LOGS = may("logs:CreateLogStream", "logs:PutLogEvents", "logs:CreateLogGroup")
POWERTOOLS = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"


def bundle(source: str, **more: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {"app.py": textwrap.dedent(source), **more}.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def create(client: Any, source: str, *policies: str, **more: Any) -> Any:
    """A function "f" of account HOME that runs `handler` of `source`; the client to invoke it by."""
    arn = role(client, HOME, "f-role", trust(LAMBDA), *policies)
    made = client("lambda", HOME)
    defaults = {"FunctionName": "f", "Role": arn, "Handler": "app.handler", "Runtime": "python3.13"}
    made.create_function(**{**defaults, "Code": {"ZipFile": bundle(source)}, **more})
    return made


def call(made: Any, event: Any = None, **more: Any) -> tuple[Any, dict[str, Any]]:
    answer = made.invoke(FunctionName="f", Payload=json.dumps(event), **more)
    return json.loads(answer["Payload"].read()), answer


def test_a_function_gets_its_event_and_its_result_comes_back(client: Any) -> None:
    made = create(client, "def handler(event, context): return {'got': event}")
    result, answer = call(made, {"a": [1, None, "ü"]})
    assert result == {"got": {"a": [1, None, "ü"]}}
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer


def test_a_function_keeps_its_process_from_one_event_to_the_next(client: Any) -> None:
    made = create(
        client, "import os\ncount = 0\ndef handler(e, c):\n global count; count += 1; return [os.getpid(), count]"
    )
    (pid, first), _ = call(made)
    assert call(made)[0] == [pid, first + 1]


def test_new_code_and_new_configuration_take_effect_at_once(client: Any) -> None:
    made = create(client, "import os\ndef handler(e, c): return ['old', os.environ.get('WORD')]")
    assert call(made)[0] == ["old", None]
    made.update_function_configuration(FunctionName="f", Environment={"Variables": {"WORD": "x"}})
    assert call(made)[0] == ["old", "x"]
    made.update_function_code(FunctionName="f", ZipFile=bundle("def handler(e, c): return 'new'"))
    assert call(made)[0] == "new"


def test_a_function_acts_as_its_role_and_has_nothing_of_whoever_started_the_server(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/home/me/token")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-developer")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-secret")
    source = """
        import boto3, os, sys
        def handler(event, context):
            return {"env": dict(os.environ), "who": boto3.client("sts").get_caller_identity()["Arn"], "path": sys.path}
    """
    result, _ = call(create(client, source, Environment={"Variables": {"MINE": "1"}}))
    assert result["who"] == f"arn:aws:sts::{HOME}:assumed-role/f-role/f"
    assert (
        not {"AWS_WEB_IDENTITY_TOKEN_FILE", "PULUMI_ACCESS_TOKEN", "HOME", "USER", "PYTHONPATH", "VIRTUAL_ENV"}
        & result["env"].keys()
    )
    assert result["env"]["AWS_SECRET_ACCESS_KEY"] != "of-the-developer"
    assert result["env"]["MINE"] == "1"
    assert result["env"]["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert result["path"][0] == result["env"]["LAMBDA_TASK_ROOT"]


def test_a_bundle_that_forgot_a_module_fails_as_on_lambda_even_where_it_is_installed(client: Any) -> None:
    made = create(client, "import lakemesh\ndef handler(e, c): return 1")
    result, answer = call(made)
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Runtime.ImportModuleError"
    assert result["errorMessage"] == "Unable to import module 'app': No module named 'lakemesh'"


def test_powertools_come_with_their_layer_and_not_without_it(client: Any) -> None:
    source = "import aws_lambda_powertools.utilities.parser as p\ndef handler(e, c): return p.__name__"
    made = create(client, source)
    assert call(made)[0]["errorType"] == "Runtime.ImportModuleError"
    made.update_function_configuration(FunctionName="f", Layers=[POWERTOOLS])
    assert call(made)[0] == "aws_lambda_powertools.utilities.parser"
    assert made.get_function_configuration(FunctionName="f")["Layers"][0]["Arn"] == POWERTOOLS


def test_the_context_knows_the_function_and_how_long_it_still_has(client: Any) -> None:
    source = """
        def handler(event, context):
            return [context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
                    context.get_remaining_time_in_millis(), context.log_group_name, context.aws_request_id]
    """
    name, arn, memory, left, group, request_id = call(create(client, source, Timeout=30, MemorySize=256))[0]
    assert (name, arn, memory) == ("f", f"arn:aws:lambda:{REGION}:{HOME}:function:f", "256")
    assert 20_000 < left <= 30_000
    assert group == "/aws/lambda/f"
    assert len(request_id) == 36


def test_an_exception_comes_back_with_type_text_and_trace(client: Any) -> None:
    source = "class Wrong(Exception): pass\ndef handler(e, c):\n    raise Wrong('twin ar_raw: deploy central first')"
    result, answer = call(create(client, source))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["StatusCode"] == 200
    assert (result["errorType"], result["errorMessage"]) == ("Wrong", "twin ar_raw: deploy central first")
    assert len(result["stackTrace"]) == 1
    assert "line 3, in handler" in result["stackTrace"][0]


@pytest.mark.parametrize(
    ("source", "kind", "text"),
    [
        ("def other(e, c): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def handler(e, c) pass", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("1/0", "ZeroDivisionError", "division by zero"),
        ("def handler(e, c): return object()", "Runtime.MarshalError", "Unable to marshal response"),
        ("def handler(e, c): return 'x' * (7 << 20)", "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size"),
        ("import sys\ndef handler(e, c): sys.exit(3)", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("import os\ndef handler(e, c): os._exit(0)", "Runtime.ExitError", "exit status 0"),
        ("import os\ndef handler(e, c): os.kill(os.getpid(), 9)", "Runtime.ExitError", "signal: kill"),
        ("import os\nos._exit(4)", "Runtime.ExitError", "exit status 4"),
    ],
)  # fmt: skip
def test_what_goes_wrong_in_a_function_is_named_as_lambda_names_it(
    client: Any, source: str, kind: str, text: str
) -> None:
    result, answer = call(create(client, source))
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == kind
    assert text in result["errorMessage"]


def test_a_function_that_hangs_is_ended_with_everything_it_started_and_the_next_event_is_served(
    client: Any, tmp_path: Path
) -> None:
    source = """
        import subprocess, time, pathlib
        def handler(event, context):
            if event:
                child = subprocess.Popen(["sleep", "600"])
                pathlib.Path(event).write_text(str(child.pid))
                time.sleep(600)
            return "fine"
    """
    made, noted = create(client, source, Timeout=1), tmp_path / "child"
    result, answer = call(made, str(noted))
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    stat = Path(f"/proc/{noted.read_text()}/stat")  # a zombie is as good as gone
    assert not stat.exists() or stat.read_text().split(")")[1].split()[0] == "Z"
    assert call(made)[0] == "fine"


def test_garbage_on_its_output_neither_disturbs_the_answer_nor_the_server(client: Any) -> None:
    source = r"""
        import os, sys
        def handler(event, context):
            os.write(1, b"\xff\xfe\x00{\"kind\": \"result\", \"payload\": \"1\"}\n" * 1000)
            print("\x1b[2J", file=sys.stderr)
            return "mine"
    """
    result, answer = call(create(client, source, LOGS), LogType="Tail")
    assert result == "mine"
    assert b"REPORT RequestId" in base64.b64decode(answer["LogResult"])


def test_a_function_that_writes_into_the_runtimes_own_channel_only_hurts_itself(client: Any) -> None:
    source = """
        import os
        def handler(event, context):
            for fd in os.listdir("/proc/self/fd"):
                try: os.write(int(fd), event.encode())
                except OSError: pass
            return "mine"
    """
    made = create(client, source)
    for garbage in ("\x7f\x7f\x7f\x7f", "\x00\x00\x00\x02[]", "\x00\x00\x00\x03abc"):
        result, answer = call(made, garbage)
        assert answer["FunctionError"] == "Unhandled"
        assert result["errorType"] == "Runtime.ExitError"


def test_what_a_function_prints_is_in_its_log_and_nowhere_else(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    source = """
        import os
        def handler(event, context):
            print("secret", os.environ["AWS_SECRET_ACCESS_KEY"])
            return "done"
    """
    result, answer = call(create(client, source, LOGS), LogType="Tail")
    assert result == "done"
    logs = client("logs", HOME)
    stream = logs.describe_log_streams(logGroupName="/aws/lambda/f")["logStreams"][0]["logStreamName"]
    events = logs.get_log_events(logGroupName="/aws/lambda/f", logStreamName=stream)["events"]
    messages = [event["message"] for event in events]
    assert messages[0].startswith("START RequestId")
    assert messages[1].startswith("secret ")
    assert messages[1].encode() in base64.b64decode(answer["LogResult"])
    assert "secret" not in "".join(capfd.readouterr())


def test_a_role_without_log_permissions_loses_its_lines_and_runs_all_the_same(client: Any) -> None:
    made = create(client, "def handler(e, c): print('x'); return 1")
    assert call(made)[0] == 1
    assert client("logs", HOME).describe_log_groups()["logGroups"] == []


def test_lines_of_a_function_with_json_logs_stay_json(client: Any) -> None:
    source = "import json\ndef handler(e, c): print(json.dumps({'level': 'INFO'}))"
    made = create(client, source, LOGS, LoggingConfig={"LogFormat": "JSON", "LogGroup": "/mesh/f"})
    _, answer = call(made, LogType="Tail")
    lines = [json.loads(line) for line in base64.b64decode(answer["LogResult"]).splitlines()]
    assert [line.get("type") for line in lines] == ["platform.start", None, "platform.report"]
    assert client("logs", HOME).describe_log_groups()["logGroups"][0]["logGroupName"] == "/mesh/f"


def test_a_function_reads_back_as_the_real_provider_expects(client: Any) -> None:
    made = create(
        client, "", Layers=[POWERTOOLS], Tags={"a": "b"}, Environment={"Variables": {}}, Architectures=["arm64"]
    )
    got = made.get_function(FunctionName="f")
    config = got["Configuration"]
    assert got["Tags"] == {"a": "b"}
    assert "Environment" not in config
    assert (config["State"], config["Version"], config["PackageType"]) == ("Active", "$LATEST", "Zip")
    assert config["Architectures"] == ["arm64"]
    assert config["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}
    assert made.list_versions_by_function(FunctionName="f")["Versions"][0]["Version"] == "$LATEST"
    assert made.get_function_code_signing_config(FunctionName="f")["FunctionName"] == "f"
    assert "ReservedConcurrentExecutions" not in made.get_function_concurrency(FunctionName="f")
    assert made.get_function(FunctionName=config["FunctionArn"])["Configuration"]["CodeSha256"] == config["CodeSha256"]
    made.tag_resource(Resource=config["FunctionArn"], Tags={"c": "d"})
    made.untag_resource(Resource=config["FunctionArn"], TagKeys=["a"])
    assert made.list_tags(Resource=config["FunctionArn"])["Tags"] == {"c": "d"}


def test_a_deleted_function_is_not_found(client: Any) -> None:
    made = create(client, "")
    made.delete_function(FunctionName="f")
    for again in (made.get_function, made.delete_function, made.invoke):
        with pytest.raises(
            ClientError, match=f"Function not found: arn:aws:lambda:{REGION}:{HOME}:function:f"
        ) as error:
            again(FunctionName="f")
        assert code(error) == "ResourceNotFoundException"


def test_a_second_function_of_one_name_is_a_conflict(client: Any) -> None:
    made = create(client, "")
    arn = f"arn:aws:iam::{HOME}:role/f-role"
    with pytest.raises(ClientError, match="Function already exist: f"):
        made.create_function(
            FunctionName="f", Role=arn, Handler="a.b", Runtime="python3.13", Code={"ZipFile": bundle("")}
        )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip"),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "k"}}, "NotImplementedByLocalAws"),
        ({"Runtime": "nodejs24.x"}, r"lambda\.runtime nodejs24\.x"),
        ({"Timeout": 901}, "less than or equal to 900"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"LONG": "x" * 5000}}}, "exceeded the 4KB limit"),
        ({"Layers": ["arn:aws:lambda:eu-west-1:1:layer:x:1"]}, "layer"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "CreateFunction with VpcConfig"),
        ({"Publish": True}, "published version"),
    ],
)
def test_a_function_that_cannot_be_had_is_refused_with_the_reason(
    client: Any, given: dict[str, Any], text: str
) -> None:
    with pytest.raises(ClientError, match=text):
        create(client, "", **given)
    assert functions(HOME, REGION) == {}


def test_a_role_that_does_not_trust_lambda_cannot_be_a_functions(client: Any) -> None:
    other = role(client, HOME, "other", trust(ANYONE_HERE))
    for arn in (other, f"arn:aws:iam::{HOME}:role/missing"):
        with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
            create(client, "", Role=arn)
        client("iam", HOME).delete_role(RoleName="f-role")


def test_a_function_whose_role_is_gone_does_not_run(client: Any) -> None:
    made = create(client, "def handler(e, c): return 1")
    client("iam", HOME).delete_role(RoleName="f-role")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        call(made)


def test_files_of_a_zip_stay_inside_the_functions_folder(client: Any, tmp_path: Any) -> None:
    outside = f"../../../../../../../../..{tmp_path}/escaped.py"
    made = create(client, "", Code={"ZipFile": bundle("def handler(e, c): return 1", **{outside: "x"})})
    assert call(made)[0] == 1
    assert not (tmp_path / "escaped.py").exists()


def test_asynchronous_invocation_is_refused_by_name(client: Any) -> None:
    made = create(client, "def handler(e, c): return 1")
    with pytest.raises(ClientError, match="InvocationType Event"):
        call(made, InvocationType="Event")
    assert made.invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204


def test_a_payload_that_is_no_json_is_refused(client: Any) -> None:
    made = create(client, "def handler(e, c): return 1")
    with pytest.raises(ClientError, match="Could not parse request body into json"):
        made.invoke(FunctionName="f", Payload=b"{")


def test_no_reserved_concurrency_means_no_invocation(client: Any) -> None:
    made = create(client, "def handler(e, c): return 1")
    made.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="Rate Exceeded") as error:
        call(made)
    assert code(error) == "TooManyRequestsException"
    made.delete_function_concurrency(FunctionName="f")
    assert call(made)[0] == 1


def test_another_account_invokes_once_the_functions_policy_lets_it(client: Any) -> None:
    made = create(client, "def handler(e, c): return 1")
    arn = f"arn:aws:lambda:{REGION}:{HOME}:function:f"
    with pytest.raises(ClientError, match="not authorized to perform: lambda:InvokeFunction"):
        client("lambda", OTHER).invoke(FunctionName=arn)
    made.add_permission(FunctionName="f", StatementId="s1", Action="lambda:InvokeFunction", Principal=OTHER)
    assert client("lambda", OTHER).invoke(FunctionName=arn)["StatusCode"] == 200
    assert json.loads(made.get_policy(FunctionName="f")["Policy"])["Statement"][0]["Sid"] == "s1"
    made.remove_permission(FunctionName="f", StatementId="s1")
    with pytest.raises(ClientError, match="does not exist"):
        made.get_policy(FunctionName="f")


def test_a_function_may_call_another_function_and_itself(client: Any) -> None:
    source = """
        import boto3, json
        def handler(event, context):
            if event == 0: return [0]
            made = boto3.client("lambda").invoke(FunctionName="f", Payload=json.dumps(event - 1))
            return json.loads(made["Payload"].read()) + [event]
    """
    assert call(create(client, source, may("lambda:InvokeFunction"), Timeout=60), 2)[0] == [0, 1, 2]


def test_stopping_the_workers_also_ends_one_in_the_middle_of_an_event(client: Any, tmp_path: Path) -> None:
    source = """
        import os, pathlib, time
        def handler(event, context):
            pathlib.Path(event).write_text(str(os.getpid()))
            time.sleep(600)
    """
    made, noted = create(client, source, Timeout=300), tmp_path / "pid"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, made, str(noted))
        while not (noted.exists() and noted.read_text()):
            wait([answer], timeout=0.01)
        stop_workers()
        result, _ = answer.result(timeout=30)
    assert result["errorType"] == "Runtime.ExitError"
    assert not Path(f"/proc/{noted.read_text()}").exists()
