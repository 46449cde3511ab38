"""The Lambda API, as far as the program, the real provider and people call it.

Sources: Lambda API reference (each operation); Lambda developer guide, "Lambda quotas", "Using Lambda
environment variables", "Managing permissions in AWS Lambda" (execution role), "Controlling access with resource-based
policies".
"""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from local_aws.services import iam, identity, logs, metrics, policy
from local_aws.services.calls import AwsError, Call, not_implemented, operation, page
from local_aws.services.lambda_.functions import Function, functions, stop_workers, unpack
from local_aws.services.lambda_.worker import PAYLOAD_LIMIT

__all__ = ["policy_statements", "stop_workers"]

SERVICE = "lambda.amazonaws.com"
ZIP_LIMIT = 50 * 1024 * 1024
ENVIRONMENT_LIMIT = 4096
LONGEST_TIMEOUT = 900
TAIL = 4096

CONFIGURABLE = {
    "Role", "Handler", "Runtime", "Description", "Timeout", "MemorySize", "Environment", "Layers", "TracingConfig",
    "EphemeralStorage", "LoggingConfig", "DeadLetterConfig",
}  # fmt: skip
_CREATE = CONFIGURABLE | {"FunctionName", "Code", "Architectures", "PackageType", "Publish", "Tags"}

RESERVED = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
})  # fmt: skip
"""Environment variables that a function cannot set ("Defined runtime environment variables")."""

_UNABLE = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided"
)
_NAME = re.compile(
    r"(?:arn:aws[\w-]*:lambda:(?P<region>[\w-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[\w-]{1,64})(?::(?P<qualifier>[\w$-]+))?"
)
_LAYER = re.compile(r"arn:aws[\w-]*:lambda:[\w-]+:\d{12}:layer:[\w-]+:\d+")
_RUNTIME = re.compile(r"python3\.\d+")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def _refuse_unknown(call: Call, known: set[str]) -> None:
    """Refuse members we would have to ignore: whoever sets them relies on them."""
    ignored = {"SnapStart", "DryRun", "RevisionId"}
    for member, value in call.params.items():
        if member not in known | ignored and value not in (None, "", [], {}):
            raise not_implemented("lambda", f"{call.operation} with {member}")


def _find(call: Call, member: str = "FunctionName") -> Function:
    """The function a call names: by name, partial ARN or ARN. Raises AwsError ResourceNotFoundException."""
    text = call.params.get(member) or call.params.get("Resource", "")
    parts = _NAME.fullmatch(text)
    if parts is None:
        raise AwsError("ValidationException", f'"{text}" is not a function\'s name or ARN.')
    account, region = parts["account"] or call.account, parts["region"] or call.region
    qualifier = call.params.get("Qualifier") or parts["qualifier"] or "$LATEST"
    found = functions(account, region).get(parts["name"])
    if found is None or qualifier != "$LATEST":
        arn = f"arn:aws:lambda:{region}:{account}:function:{parts['name']}"
        suffix = "" if qualifier == "$LATEST" else f":{qualifier}"
        raise AwsError("ResourceNotFoundException", f"Function not found: {arn}{suffix}", 404)
    return found


def policy_statements(function_arn: str) -> iam.Statements:
    """The statements of a function's own policy; none where there is no such function."""
    parts = _NAME.fullmatch(function_arn)
    found = functions(parts["account"], parts["region"]).get(parts["name"]) if parts else None
    return tuple(found.statements) if found else ()


def _check_role(call: Call, arn: str) -> None:
    role = iam.role(arn)
    trust = policy.parse(role.assume_role_policy_document) if role else ()
    assume = policy.Request("sts:AssumeRole", arn, {"aws:sourceaccount": call.account})
    if policy.decide(trust, assume, SERVICE) is not policy.Decision.ALLOW:
        raise _invalid("The role defined for the function cannot be assumed by Lambda.")
    if arn.split(":")[4] != call.account:
        raise AwsError("AccessDeniedException", "Cross-account pass role is not allowed.", 403)


def _check_config(given: Mapping[str, Any]) -> None:
    if "Runtime" in given and not _RUNTIME.fullmatch(given["Runtime"]):
        raise not_implemented("lambda", f"runtime {given['Runtime']}")
    if given.get("Timeout", 1) > LONGEST_TIMEOUT:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{given['Timeout']}' at 'timeout' failed to satisfy constraint: "
            f"Member must have value less than or equal to {LONGEST_TIMEOUT}",
        )
    variables = given.get("Environment", {}).get("Variables", {})
    if taken := sorted(RESERVED & variables.keys()):
        raise _invalid(
            f"{_UNABLE} contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(taken)}"
        )
    if len(json.dumps(variables, separators=(",", ":"))) > ENVIRONMENT_LIMIT:
        raise _invalid(f"{_UNABLE} exceeded the 4KB limit.")
    for layer in given.get("Layers", []):
        if not _LAYER.fullmatch(layer):
            raise AwsError("ValidationException", f'"{layer}" is not the ARN of a layer\'s version.')


def _settings(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    """FunctionConfiguration's members from CreateFunction's or UpdateFunctionConfiguration's."""
    settings = {member: value for member, value in given.items() if member in CONFIGURABLE and value is not None}
    if "Layers" in settings:
        settings["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in settings["Layers"]]
    if "LoggingConfig" in settings:
        defaults = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
        if settings["LoggingConfig"].get("LogFormat") == "JSON":
            defaults |= {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
        settings["LoggingConfig"] = defaults | settings["LoggingConfig"]
    return settings


def _code(given: Mapping[str, Any]) -> tuple[int, str]:
    code = given.get("ZipFile")
    if code is None:
        raise not_implemented("lambda", "code from S3 or an image: give a ZipFile")
    if len(code) > ZIP_LIMIT:
        raise AwsError("RequestEntityTooLargeException", f"Request must be smaller than {ZIP_LIMIT} bytes", 413)
    return len(code), unpack(code)


def _describe(function: Function) -> dict[str, Any]:
    config = dict(function.config)
    if not config.get("Environment", {}).get("Variables"):
        config.pop("Environment", None)
    return {
        **config,
        "FunctionArn": function.arn,
        "CodeSize": function.code_size,
        "CodeSha256": function.sha256,
        "LastModified": function.modified,
        "RevisionId": function.revision,
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
    }


@operation("lambda", "CreateFunction", exclusive=True)
def create_function(call: Call) -> dict[str, Any]:
    given = call.params
    _refuse_unknown(call, _CREATE)
    if given.get("PackageType", "Zip") != "Zip" or given.get("Publish"):
        raise not_implemented("lambda", "CreateFunction of an image or a published version")
    parts = _NAME.fullmatch(given["FunctionName"])
    if parts is None or "Handler" not in given or "Runtime" not in given:
        raise _invalid("A function of package type Zip has a name, a Runtime and a Handler.")
    name, mine = parts["name"], functions(call.account, call.region)
    if name in mine:
        raise AwsError("ResourceConflictException", f"Function already exist: {name}", 409)
    _check_config(given)
    _check_role(call, given["Role"])
    size, sha256 = _code(given["Code"])
    defaults = {
        "FunctionName": name,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "PackageType": "Zip",
        "Architectures": given.get("Architectures", ["x86_64"]),
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
    }
    config = defaults | _settings({"LoggingConfig": {}, **given}, name)
    mine[name] = Function(call.account, call.region, config, size, sha256, tags=dict(given.get("Tags", {})))
    mine[name].changed()
    return _describe(mine[name])


@operation("lambda", "GetFunction")
def get_function(call: Call) -> dict[str, Any]:
    found = _find(call)
    answer = {"Configuration": _describe(found), "Code": {"RepositoryType": "S3"}, "Tags": found.tags}
    return answer if found.reserved is None else answer | {"Concurrency": _concurrency(found)}


@operation("lambda", "GetFunctionConfiguration")
def get_function_configuration(call: Call) -> dict[str, Any]:
    return _describe(_find(call))


@operation("lambda", "UpdateFunctionCode", exclusive=True)
def update_function_code(call: Call) -> dict[str, Any]:
    _refuse_unknown(call, {"FunctionName", "ZipFile", "Architectures", "Publish"})
    found = _find(call)
    if call.params.get("Publish"):
        raise not_implemented("lambda", "UpdateFunctionCode with Publish")
    found.code_size, found.sha256 = _code(call.params)
    found.config["Architectures"] = call.params.get("Architectures", found.config["Architectures"])
    found.changed()
    return _describe(found)


@operation("lambda", "UpdateFunctionConfiguration", exclusive=True)
def update_function_configuration(call: Call) -> dict[str, Any]:
    _refuse_unknown(call, CONFIGURABLE | {"FunctionName"})
    found = _find(call)
    _check_config(call.params)
    if "Role" in call.params:
        _check_role(call, call.params["Role"])
    found.config.update(_settings(call.params, found.name))
    found.changed()
    return _describe(found)


@operation("lambda", "DeleteFunction", exclusive=True)
def delete_function(call: Call) -> None:
    found = _find(call)
    del functions(found.account, found.region)[found.name]
    found.changed()


@operation("lambda", "ListVersionsByFunction")
def list_versions_by_function(call: Call) -> dict[str, Any]:
    found = _find(call)
    return {"Versions": [_describe(found) | {"FunctionArn": f"{found.arn}:$LATEST"}]}


@operation("lambda", "ListFunctions")
def list_functions(call: Call) -> dict[str, Any]:
    found = [_describe(function) for _, function in sorted(functions(call.account, call.region).items())]
    items, marker = page(found, call, 50, size="MaxItems", token="Marker")  # noqa: S106 - a parameter's name
    return {"Functions": items, "NextMarker": marker}


@operation("lambda", "GetFunctionCodeSigningConfig")
def get_function_code_signing_config(call: Call) -> dict[str, Any]:
    return {"FunctionName": _find(call).name}


def _concurrency(function: Function) -> dict[str, Any]:
    return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}


@operation("lambda", "GetFunctionConcurrency")
def get_function_concurrency(call: Call) -> dict[str, Any]:
    return _concurrency(_find(call))


@operation("lambda", "PutFunctionConcurrency", "DeleteFunctionConcurrency", exclusive=True)
def put_function_concurrency(call: Call) -> dict[str, Any]:
    found = _find(call)
    found.reserved = call.params.get("ReservedConcurrentExecutions")
    return _concurrency(found)


@operation("lambda", "ListTags")
def list_tags(call: Call) -> dict[str, Any]:
    return {"Tags": _tags(call)}


def _tags(call: Call) -> dict[str, str]:
    """Tags of a function, or of an event source mapping."""
    from local_aws.services.lambda_ import mappings

    of_mapping = mappings.tags(call.params["Resource"])
    return _find(call, "Resource").tags if of_mapping is None else of_mapping


@operation("lambda", "TagResource", "UntagResource", exclusive=True)
def tag_resource(call: Call) -> None:
    tags = _tags(call)
    tags.update(call.params.get("Tags", {}))
    for key in call.params.get("TagKeys", []):
        tags.pop(key, None)


@operation("lambda", "AddPermission", exclusive=True)
def add_permission(call: Call) -> dict[str, Any]:
    given = call.params
    _refuse_unknown(
        call,
        {
            "FunctionName",
            "StatementId",
            "Action",
            "Principal",
            "SourceArn",
            "SourceAccount",
            "PrincipalOrgID",
            "Qualifier",
        },
    )
    found, sid = _find(call), given["StatementId"]
    if any(statement["Sid"] == sid for statement in found.statements):
        raise AwsError("ResourceConflictException", f"The statement id ({sid}) provided already exists.", 409)
    service = given["Principal"].endswith(".amazonaws.com")
    if not service and not iam.exists(given["Principal"]):
        raise _invalid(
            f"The provided principal was invalid. Please check the principal and try again. ({given['Principal']})"
        )
    conditions = {
        "ArnLike": {"AWS:SourceArn": given.get("SourceArn")},
        "StringEquals": {
            "AWS:SourceAccount": given.get("SourceAccount"),
            "aws:PrincipalOrgID": given.get("PrincipalOrgID"),
        },
    }
    kept = {operator: {k: v for k, v in keys.items() if v} for operator, keys in conditions.items()}
    account = re.fullmatch(r"\d{12}", given["Principal"])
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": given["Principal"]}
        if service
        else {"AWS": f"arn:aws:iam::{account[0]}:root" if account else given["Principal"]},
        "Action": given["Action"],
        "Resource": found.arn,
    }
    if condition := {operator: keys for operator, keys in kept.items() if keys}:
        statement["Condition"] = condition
    found.statements.append(statement)
    return {"Statement": json.dumps(statement)}


@operation("lambda", "RemovePermission", exclusive=True)
def remove_permission(call: Call) -> None:
    found, sid = _find(call), call.params["StatementId"]
    kept = [statement for statement in found.statements if statement["Sid"] != sid]
    if len(kept) == len(found.statements):
        raise AwsError("ResourceNotFoundException", f"Statement {sid} is not found in resource policy.", 404)
    found.statements[:] = kept


@operation("lambda", "GetPolicy")
def get_policy(call: Call) -> dict[str, Any]:
    found = _find(call)
    if not found.statements:
        raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    document = {"Version": "2012-10-17", "Id": "default", "Statement": found.statements}
    return {"Policy": json.dumps(document), "RevisionId": found.revision}


@operation("lambda", "Invoke")
def invoke(call: Call) -> dict[str, Any]:
    """Run a function with one event and return what it returned; Event (asynchronous) invocation is refused by name."""
    found = _find(call)
    kind = call.params.get("InvocationType", "RequestResponse")
    if kind == "Event":
        raise not_implemented("lambda", "Invoke with InvocationType Event")
    if kind == "DryRun":
        return {"StatusCode": 204}
    payload = _payload(call.params.get("Payload"))
    request_id, started = str(uuid.uuid4()), time.monotonic()
    outcome = found.run(payload, request_id)
    lines = _log(found, request_id, outcome.log, outcome.error, time.monotonic() - started)
    answer: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    answer["Payload"] = (json.dumps(outcome.error) if outcome.error else outcome.payload or "null").encode()
    if outcome.error:
        answer["FunctionError"] = "Unhandled"
    if call.params.get("LogType") == "Tail":
        answer["LogResult"] = base64.b64encode("\n".join(lines).encode()[-TAIL:]).decode()
    return answer


def _payload(given: Any) -> str:
    data = given if isinstance(given, bytes) else given.read() if hasattr(given, "read") else str(given or "").encode()
    if len(data) > PAYLOAD_LIMIT:
        raise AwsError("RequestTooLargeException", f"Request must be smaller than {PAYLOAD_LIMIT} bytes", 413)
    try:
        text: str = data.decode() or "{}"
        json.loads(text)
    except ValueError as error:
        raise AwsError("InvalidRequestContentException", "Could not parse request body into json") from error
    return text


def _log(
    function: Function, request_id: str, printed: list[str], error: dict[str, Any] | None, seconds: float
) -> list[str]:
    """Write an invocation's lines into CloudWatch Logs under the function's role; the lines."""
    memory = function.config["MemorySize"]
    if function.config["LoggingConfig"]["LogFormat"] == "JSON":
        status = "success" if error is None else "failure"
        record = {"requestId": request_id, "status": status, "metrics": {"durationMs": round(seconds * 1000, 3)}}
        lines = [
            json.dumps({"type": "platform.start", "record": {"requestId": request_id, "version": "$LATEST"}}),
            *printed,
            json.dumps({"type": "platform.report", "record": record}),
        ]
    else:
        lines = [
            f"START RequestId: {request_id} Version: $LATEST",
            *printed,
            f"END RequestId: {request_id}",
            f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\tMemory Size: {memory} MB",
        ]
    metrics.of_function(function.arn, invocations=1, errors=int(error is not None), duration=seconds * 1000)
    session = identity.role(function.config["Role"], function.name)
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{function.revision.replace('-', '')}"
    logs.append(session, function.region, function.log_group, stream, lines)
    return lines
