"""The front door: protocols, identities, errors, IAM, the journal, and what of moto it leans on."""

from __future__ import annotations

import datetime as dt
import io
import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.server import LocalAws
from local_aws.services import authorize, calls, front, identity, journal, wire
from local_aws.services.calls import AwsError, Call

ROOT = Path(__file__).parents[2]
ACCOUNT, OTHER = "111122223333", "999988887777"


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what an operation answers, for this test."""
    operations = dict(calls._operations)
    monkeypatch.setattr(calls, "_operations", operations)

    def put(service: str, name: str, handler: calls.Handler, *, exclusive: bool = False) -> None:
        operations[service, name] = calls.Operation(handler, exclusive)

    return put


def error_of(call: Callable[..., Any], **params: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    response = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


# ----------------------------------------------------------------------------------------------------------- protocols


def test_json_carries_timestamps_and_blobs_both_ways(client: Any, answer: Any) -> None:
    seen: list[Call] = []
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)

    def create(call: Call) -> None:
        seen.append(call)

    answer("glue", "CreatePartition", create)
    answer("kms", "Encrypt", lambda call: {"CiphertextBlob": b"\x00" + call.params["Plaintext"], "KeyId": "k"})
    client("glue").create_partition(
        DatabaseName="d", TableName="t", PartitionInput={"Values": ["v"], "LastAccessTime": moment}
    )
    assert seen[0].params["PartitionInput"]["LastAccessTime"] == moment
    assert (seen[0].account, seen[0].region, seen[0].identity.is_root) == (ACCOUNT, "eu-west-1", True)
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    assert client("kms").encrypt(KeyId=key, Plaintext=b"\xff")["CiphertextBlob"] == b"\x00\xff"


def test_rest_json_reads_path_query_header_and_body(client: Any, answer: Any) -> None:
    seen: dict[str, Any] = {}

    def invoke(call: Call) -> dict[str, Any]:
        seen.update(call.params)
        return {"StatusCode": 202, "FunctionError": "Unhandled", "Payload": call.params["Payload"]}

    answer("lambda", "Invoke", invoke)
    made = client("lambda").invoke(FunctionName="f", Qualifier="7", InvocationType="Event", Payload=b'{"a": 1}')
    assert seen == {"FunctionName": "f", "Qualifier": "7", "InvocationType": "Event", "Payload": b'{"a": 1}'}
    assert (made["StatusCode"], made["FunctionError"], made["Payload"].read()) == (202, "Unhandled", b'{"a": 1}')


def test_query_answers_in_xml(client: Any, answer: Any) -> None:
    answer(
        "sts", "GetCallerIdentity", lambda call: {"Account": call.account, "Arn": call.identity.arn, "UserId": "<&>"}
    )
    made = client("sts", OTHER).get_caller_identity()
    assert (made["Account"], made["UserId"]) == (OTHER, "<&>")


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("glue", "get_tables", {"DatabaseName": "d"}),
        ("lakeformation", "get_data_lake_settings", {}),
        ("sts", "get_caller_identity", {}),
        ("s3", "list_buckets", {}),
        ("lambda", "list_functions", {}),
    ],
)
def test_an_error_keeps_its_code_message_and_status_in_every_protocol(
    client: Any, answer: Any, service: str, operation: str, params: dict[str, Any]
) -> None:
    def refuse(call: Call) -> None:
        raise AwsError("TeapotException", f'no <{call.operation}> & "so"', 418)

    name = "".join(part.title() for part in operation.split("_"))
    answer(service, name, refuse)
    code, message, status = error_of(getattr(client(service), operation), **params)
    assert (code, message, status) == ("TeapotException", f'no <{name}> & "so"', 418)


def test_objects_go_to_moto_whatever_their_key_and_size(client: Any) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket-one", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key = "a b/ü=1/100%/x+y.csv"
    s3.put_object(Bucket="bucket-one", Key=key, Body=io.BytesIO(b"hello"), Metadata={"under_score": "v"})
    found = s3.get_object(Bucket="bucket-one", Key=key)
    assert (found["Body"].read(), found["Metadata"]) == (b"hello", {"under_score": "v"})
    assert s3.head_object(Bucket="bucket-one", Key=key)["ContentLength"] == 5
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket-one", Prefix="a b/")["Contents"]] == [key]
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), "bucket-one", "big")
    assert s3.head_object(Bucket="bucket-one", Key="big")["ContentLength"] == 9_000_000


def raw(
    aws: LocalAws, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> tuple[int, str, Any]:
    """Status, content type and JSON of a request that no SDK would send."""
    request = urllib.request.Request(aws.endpoint + path, body, headers or {})  # noqa: S310
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310
            return response.status, response.headers["Content-Type"], json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], json.loads(error.read())


def signed(service: str, key: str = ACCOUNT) -> dict[str, str]:
    scope = f"{key}/20260101/eu-west-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"}


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/", {}, 403, "MissingAuthenticationTokenException"),
        ("/any/page.html", {}, 403, "MissingAuthenticationTokenException"),
        ("/", signed("glue") | {"X-Amz-Target": "AWSGlue.DoMagic"}, 404, "UnknownOperationException"),
        ("/2015-03-31/magic", signed("lambda"), 404, "UnknownOperationException"),
        ("/", signed("nosuchservice"), 404, "UnknownOperationException"),
        ("/_local/nothing", {}, 501, "NotImplementedByLocalAws"),
    ],
)
def test_what_nobody_understands_is_answered_in_json(
    aws: LocalAws, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answered = raw(aws, path, headers)
    assert answered[0] == status
    assert "json" in answered[1]
    assert answered[2]["__type"] == code


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"\xff", b'{"DatabaseName": 5}', b'{"DatabaseName": {"a": 1}}'])
def test_a_body_that_is_not_what_the_operation_takes_is_a_serialization_error(aws: LocalAws, body: bytes) -> None:
    headers = signed("glue") | {"X-Amz-Target": "AWSGlue.GetTables", "Content-Type": "application/x-amz-json-1.1"}
    status, _, answered = raw(aws, "/", headers, body)
    assert (status, answered["__type"]) == (400, "SerializationException")
    broken = raw(aws, "/GetDataLakeSettings", signed("lakeformation") | {"Content-Type": "application/json"}, b"{")
    assert broken[2]["__type"] == "SerializationException"


def test_a_broken_request_line_is_answered_in_json_too(aws: LocalAws) -> None:
    with socket.create_connection(("127.0.0.1", aws.port), timeout=5) as connection:
        connection.sendall(b"this is no HTTP\r\n\r\n")
        received = connection.recv(4096)
    assert b"<html" not in received.lower()


def test_a_failure_inside_is_an_error_the_caller_can_parse(client: Any, answer: Any) -> None:
    answer("glue", "GetTables", lambda call: 1 / 0)  # type: ignore[arg-type,return-value]
    code, message, status = error_of(client("glue").get_tables, DatabaseName="d")
    assert (code, status) == ("InternalFailure", 500)
    assert "ZeroDivisionError" not in message


# ---------------------------------------------------------------------------------------------------- what is modelled


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("glue", "get_crawlers", {}),
        ("iam", "list_groups", {}),
        ("s3", "list_bucket_inventory_configurations", {"Bucket": "b"}),
        ("dynamodb", "list_backups", {}),
        ("ec2", "describe_instances", {}),
    ],
)
def test_an_operation_that_is_not_modelled_is_refused_by_name(
    client: Any, service: str, operation: str, params: dict[str, Any]
) -> None:
    code, message, status = error_of(getattr(client(service), operation), **params)
    assert (code, status) == ("NotImplementedByLocalAws", 501)
    assert "".join(part.title() for part in operation.split("_")) in message


def test_every_modelled_operation_is_one_of_the_sdks(aws: LocalAws) -> None:
    session = boto3.session.Session()._session
    for service, operation in calls.modelled():
        assert operation in session.get_service_model(service).operation_names, (service, operation)


# ----------------------------------------------------------------------------------------------------------- identities


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("glue", "get_databases", "UnrecognizedClientException"),
        ("iam", "list_roles", "InvalidClientTokenId"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_an_access_key_that_nobody_has_is_refused_as_the_service_refuses_it(
    client: Any, service: str, operation: str, code: str
) -> None:
    assert error_of(getattr(client(service, "AKIAUNKNOWN"), operation))[::2] == (code, 403)


def test_a_session_that_has_ended_is_nobody(client: Any) -> None:
    made = identity.issue(identity.role(f"arn:aws:iam::{ACCOUNT}:role/r", "s"), duration=-1)
    assert error_of(client("glue", made.access_key_id).get_databases)[0] == "UnrecognizedClientException"


def test_each_account_has_its_own_world_in_moto(client: Any) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
    made = client("iam").create_role(RoleName="r", Path="/team/", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/r"
    assert client("iam", OTHER).list_roles()["Roles"] == []
    assert (
        client("kms", OTHER, "us-east-1")
        .create_key()["KeyMetadata"]["Arn"]
        .startswith(f"arn:aws:kms:us-east-1:{OTHER}:")
    )
    calls.reset()
    assert client("iam").list_roles()["Roles"] == []


def test_a_thread_acts_for_nobody_between_requests(aws: LocalAws, client: Any, answer: Any) -> None:
    seen: list[str] = []
    answer("glue", "GetTables", lambda call: seen.append(identity.current_principal().account) or {"TableList": []})  # type: ignore[func-returns-value]
    client("glue").get_tables(DatabaseName="d")
    assert seen == [ACCOUNT]
    with pytest.raises(RuntimeError, match="no request"):
        identity.current_principal()


def test_callers_in_many_threads_do_not_mix(client: Any, answer: Any) -> None:
    answer("glue", "GetTables", lambda call: {"TableList": [{"Name": call.identity.account}]})
    wrong: list[Any] = []

    def ask(account: str) -> None:
        glue = client("glue", account)
        for _ in range(20):
            name = glue.get_tables(DatabaseName="d")["TableList"][0]["Name"]
            if name != account:
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(str(n) * 12,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ------------------------------------------------------------------------------------------------------------------ IAM


@pytest.fixture
def role(client: Any) -> Callable[..., Any]:
    """Makes a role with an inline policy; gives what makes its clients."""

    def make(*statements: dict[str, Any], name: str = "r") -> Callable[[str], Any]:
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
        }
        arn = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if statements:
            text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            client("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=text)
        return lambda service: client.role(arn, service)

    return make


def allow(action: str, resource: str, **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | ({"Condition": condition} if condition else {})


def test_a_role_without_policies_may_do_nothing(role: Callable[..., Any]) -> None:
    act = role()
    for service, operation in (("glue", "get_databases"), ("lakeformation", "list_lf_tags"), ("kms", "list_keys")):
        code, message, _ = error_of(getattr(act(service), operation))
        assert code == "AccessDeniedException"
        assert f"assumed-role/r/test is not authorized to perform: {service}:" in message
    assert error_of(act("s3").list_buckets)[::2] == ("AccessDenied", 403)
    assert error_of(act("iam").list_roles)[0] == "AccessDenied"


def test_s3_asks_for_the_permission_that_the_operation_really_needs(client: Any, role: Callable[..., Any]) -> None:
    client("s3").create_bucket(Bucket="bucket-one", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client("s3").put_object(Bucket="bucket-one", Key="in/a", Body=b"x")
    s3 = role(
        allow("s3:GetObject", "arn:aws:s3:::bucket-one/in/*"),
        allow("s3:ListBucket", "arn:aws:s3:::bucket-one", StringLike={"s3:prefix": "in/*"}),
    )("s3")
    assert s3.head_object(Bucket="bucket-one", Key="in/a")["ContentLength"] == 1
    assert s3.list_objects_v2(Bucket="bucket-one", Prefix="in/")["KeyCount"] == 1
    assert error_of(s3.list_objects_v2, Bucket="bucket-one")[0] == "AccessDenied"
    assert error_of(s3.get_object, Bucket="bucket-one", Key="out/a")[0] == "AccessDenied"
    assert error_of(s3.put_object, Bucket="bucket-one", Key="in/a", Body=b"y")[0] == "AccessDenied"
    copied = {"Bucket": "bucket-one", "Key": "in/b", "CopySource": "bucket-one/out/a"}
    message = error_of(s3.copy_object, **copied)[1]
    assert "s3:PutObject" in message


@pytest.mark.parametrize(
    ("call", "needs"),
    [
        (("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s"}), [("logs:PutLogEvents", "arn:aws:logs:eu-west-1:111122223333:log-group:g:log-stream:s")]),
        (("athena", "StartQueryExecution", {"WorkGroup": "w"}), [("athena:StartQueryExecution", "arn:aws:athena:eu-west-1:111122223333:workgroup/w")]),
        (("athena", "StartQueryExecution", {}), [("athena:StartQueryExecution", "arn:aws:athena:eu-west-1:111122223333:workgroup/primary")]),
        (("athena", "CreateWorkGroup", {"Name": "w"}), [("athena:CreateWorkGroup", "arn:aws:athena:eu-west-1:111122223333:workgroup/w")]),
        (("athena", "GetQueryResults", {"QueryExecutionId": "x"}), []),
        (("ram", "GetResourceShareInvitations", {}), [("ram:GetResourceShareInvitations", "*")]),
        (("lakeformation", "RegisterResource", {"RoleArn": "arn:r"}), [("lakeformation:RegisterResource", "*"), ("iam:PassRole", "arn:r")]),
        (("lambda", "Invoke", {"FunctionName": "f"}), [("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:111122223333:function:f")]),
        (("lambda", "CreateFunction", {"FunctionName": "f", "Role": "arn:r"}), [("iam:PassRole", "arn:r"), ("lambda:CreateFunction", "arn:aws:lambda:eu-west-1:111122223333:function:f")]),
        (("lambda", "GetFunction", {"FunctionName": "arn:aws:lambda:eu-west-1:999988887777:function:f"}), [("lambda:GetFunction", "arn:aws:lambda:eu-west-1:999988887777:function:f")]),
        (("iam", "GetRole", {"RoleName": "r"}), [("iam:GetRole", "arn:aws:iam::111122223333:role/r")]),
        (("dynamodb", "ListTables", {}), [("dynamodb:ListTables", "*")]),
    ],
)  # fmt: skip
def test_each_service_names_what_a_call_needs(
    aws: LocalAws, call: tuple[str, str, dict[str, Any]], needs: list[tuple[str, str]]
) -> None:
    service, operation, params = call
    asked = Call(service, operation, "eu-west-1", identity.root(ACCOUNT), params)
    rule = authorize._rules.get(service, authorize._anything)
    assert [(need.action, need.resource) for need in rule(asked)] == needs


# ---------------------------------------------------------------------------------------------- from inside, the journal


def test_the_journal_holds_what_changed_something_whoever_answered(client: Any, role: Callable[..., Any]) -> None:
    client("glue").create_database(DatabaseInput={"Name": "d"})
    client("glue").get_databases()
    client("kms").create_alias(AliasName="alias/a", TargetKeyId=client("kms").create_key()["KeyMetadata"]["KeyId"])
    error_of(client("glue").create_database, DatabaseInput={"Name": "d"})
    error_of(role()("glue").delete_database, Name="d")
    entries = [(e["service"], e["operation"], e["error"]) for e in journal.entries() if e["service"] != "iam"]
    assert entries == [
        ("glue", "CreateDatabase", None), ("kms", "CreateKey", None), ("kms", "CreateAlias", None),
        ("glue", "CreateDatabase", "AlreadyExistsException"), ("glue", "DeleteDatabase", "AccessDeniedException"),
    ]  # fmt: skip
    assert journal.entries()[0]["parameters"] == {"DatabaseInput": {"Name": "d"}}


def test_the_journal_keeps_two_of_a_batch_of_partitions_and_no_bodies_or_secrets(client: Any) -> None:
    client("glue").create_database(DatabaseInput={"Name": "d"})
    columns = [{"Name": f"c{n}"} for n in range(50)]
    table = {"Name": "t", "StorageDescriptor": {"Columns": columns}, "PartitionKeys": [{"Name": "p"}]}
    client("glue").create_table(DatabaseName="d", TableInput=table)
    batch = [{"Values": [str(n)]} for n in range(30)]
    client("glue").batch_create_partition(DatabaseName="d", TableName="t", PartitionInputList=batch)
    kept = [entry["parameters"] for entry in journal.entries(1)]
    assert kept[0]["TableInput"] == table
    assert kept[1]["PartitionInputList"] == [{"Values": ["0"]}, {"Values": ["1"]}, "<28 more>"]
    short = journal._short({"Body": b"123", "SecretString": "x", "Text": "y" * 3000})
    assert short == {"Body": "<3 bytes>", "SecretString": "***", "Text": "<3000 characters>"}


def test_a_service_may_call_others_as_someone(aws: LocalAws, client: Any, role: Callable[..., Any]) -> None:
    front.perform(Call("glue", "CreateDatabase", "eu-west-1", identity.root(ACCOUNT), {"DatabaseInput": {"Name": "d"}}))
    assert client("glue").get_database(Name="d")
    role()
    nobody = identity.role(f"arn:aws:iam::{ACCOUNT}:role/r", "s")
    with pytest.raises(AwsError) as caught:
        front.perform(Call("glue", "GetDatabase", "eu-west-1", nobody, {"Name": "d"}))
    assert caught.value.code == "AccessDeniedException"
    with pytest.raises(AwsError) as caught:
        front.perform(Call("glue", "GetDatabase", "eu-west-1", identity.root(ACCOUNT), {"Name": ""}))
    assert caught.value.code == "ValidationException"


def test_motos_own_answer_can_be_asked_for(aws: LocalAws, client: Any) -> None:
    root = identity.root(OTHER)
    made = front.ask_moto(Call("kms", "CreateKey", "eu-west-1", root, {"Description": "d"}))["KeyMetadata"]
    assert (made["AWSAccountId"], made["Description"]) == (OTHER, "d")
    with pytest.raises(AwsError) as caught:
        front.ask_moto(Call("iam", "GetRole", "us-east-1", root, {"RoleName": "nobody"}))
    assert caught.value.code == "NoSuchEntity"


def test_the_control_face_answers_below_its_prefix(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "_routes", {})
    front.route("/_local/echo", lambda request: (201, {"path": request.path, "at": dt.date(2026, 1, 1)}))
    assert raw(aws, "/_local/echo/deep")[::2] == (201, {"path": "/_local/echo/deep", "at": "2026-01-01"})
    assert raw(aws, "/_local/echoes")[0] == 501


def test_listeners_hear_of_what_succeeded(client: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(calls, "_listeners", [lambda call, result: heard.append(call.operation)])
    answer("glue", "GetTables", lambda call: {"TableList": []})
    client("glue").get_tables(DatabaseName="d")
    error_of(client("glue").get_database, Name="nothing")
    assert heard == ["GetTables"]


def test_an_exclusive_operation_runs_alone(client: Any, answer: Any) -> None:
    inside: list[int] = []
    most: list[int] = []

    def count(call: Call) -> None:
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.02)
        inside.pop()

    answer("glue", "DeleteTable", count, exclusive=True)
    glue = client("glue")
    threads = [threading.Thread(target=glue.delete_table, kwargs={"DatabaseName": "d", "Name": "t"}) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1


# ------------------------------------------------------------------------------------- what of moto this stands on


def test_moto_takes_the_account_from_its_header(client: Any) -> None:
    """`moto.core.responses.get_current_account`: the header wins over the access key."""
    client("s3", OTHER).create_bucket(
        Bucket="other-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    from moto.s3.models import s3_backends

    assert "other-bucket" in s3_backends[OTHER]["aws"].buckets


def test_moto_must_not_be_told_one_account_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with pytest.raises(RuntimeError, match="MOTO_ACCOUNT_ID"):
        LocalAws()


@pytest.mark.parametrize("service", ["iam", "sts", "s3", "kms", "logs", "lambda"])
def test_moto_has_an_application_for_each_service_it_answers(service: str) -> None:
    assert front._moto_app(service).url_map is not None


def test_moto_routes_by_the_models_and_says_not_found_as_expected() -> None:
    from moto.core.request import Request
    from moto.core.routing import get_service_router

    request = Request.from_primitives("PUT", "http://127.0.0.1/b/k%2Fx?acl", {})
    operation, uri = get_service_router("s3").match(request)
    assert (operation.name, uri) == ("PutObjectAcl", {"Bucket": "b", "Key": "k/x"})
    with pytest.raises(AwsError, match="no operation"):
        wire.operation_of("lambda", Request.from_primitives("GET", "http://127.0.0.1/nothing", {}))


def test_botocore_gives_patterns_that_this_python_can_check() -> None:
    assert wire._pattern(r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*").fullmatch("ü😀 ok")  # type: ignore[union-attr]
    assert wire._pattern(r"\p{L}+") is None


def test_the_server_keeps_connections_and_takes_chunked_bodies(aws: LocalAws) -> None:
    body = b'{"Name":"x"}'
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:])) + b"0\r\n\r\n"
    head = (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AWSGlue.GetDatabase\r\nTransfer-Encoding: chunked\r\n"
        f"Content-Type: application/x-amz-json-1.1\r\nAuthorization: {signed('glue')['Authorization']}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", aws.port), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(head + chunked)
            assert b"EntityNotFoundException" in connection.recv(65536)


def test_a_client_that_waits_to_be_told_to_send_its_body_is_told(aws: LocalAws) -> None:
    head = (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AWSGlue.GetDatabase\r\nContent-Length: 12\r\n"
        "Content-Type: application/x-amz-json-1.1\r\nExpect: 100-continue\r\n"
        f"Authorization: {signed('glue')['Authorization']}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", aws.port), timeout=5) as connection:
        connection.sendall(head)
        assert connection.recv(1024).startswith(b"HTTP/1.1 100")
        connection.sendall(b'{"Name":"x"}')
        assert b"EntityNotFoundException" in connection.recv(65536)


def test_a_server_of_its_own_ends_when_it_is_told_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "local_aws.server", "--port", str(port)], cwd=ROOT)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                threading.Event().wait(0.1)
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
