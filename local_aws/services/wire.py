"""The wire: requests to parameters and results to responses, by the SDK's own service models.

moto's router, parsers and serialisers (`moto.core.routing`, `.parse`, `.serialize`) know the protocols; what is ours is
the check of every constraint in the model (required, length, range, pattern, enumeration) and a fast path for JSON.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from botocore.utils import parse_timestamp
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from local_aws.services.calls import AwsError

SERVICES_BY_SIGNING_NAME = {"monitoring": "cloudwatch", "states": "stepfunctions"}
"""Signing names (in a request's credential scope) that are not the service's own name."""

Answer = tuple[int, dict[str, str], bytes]
"""HTTP status, headers, body."""

Path = tuple["Path", str] | None
Failures = list[tuple[Path, str, str]]
Check = Callable[[Any, Path, Failures], Any]
"""Checks a value at a path: returns it converted, appends (path, shown value, constraint) for each violation."""


# --------------------------------------------------------------------------------------------------------- requests


def operation_of(service: str, request: Request) -> tuple[Any, dict[str, Any]]:
    """botocore's model of the operation that a request asks for, and the parameters in its path.

    Raises `AwsError` UnknownOperationException (JSON protocols: "Common errors" of each service's API reference).
    """
    try:
        operation, uri = get_service_router(service).match(request)
    except UnknownServiceError as error:
        raise AwsError("UnknownOperationException", f"{service} is not a service of AWS.", 404) from error
    except (NotFound, NotImplementedError) as error:
        target = request.headers.get("X-Amz-Target") or request.values.get("Action") or ""
        text = f"{service} has no operation for {target or f'{request.method} {request.path}'}."
        raise AwsError("UnknownOperationException", text, 404) from error
    return operation, uri


def parse(operation: Any, uri: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """The members of the operation's input, by SDK name, converted and checked against the model."""
    shape = operation.input_shape
    if shape is None:
        return {}
    body = request.get_data()
    try:
        if determine_request_protocol(operation.service_model, request.content_type) == "json":
            raw = json.loads(body) if body else {}
        else:
            parser = PROTOCOL_PARSERS[determine_request_protocol(operation.service_model, request.content_type)]
            if parser.__name__ == "RestJSONParser" and body and not shape.serialization.get("payload"):
                json.loads(body)  # moto's parser takes a broken body for a message
            raw = parser(operation).parse({
                "method": request.method, "values": request.values, "headers": request.headers, "body": body,
                "url_path": request.path, "url_params": uri,
            })  # fmt: skip
    except (ValueError, TypeError, AttributeError, RequestParserError) as error:
        raise AwsError("SerializationException", f"The request's body cannot be read: {error}") from error
    return check(operation, raw)


def check(operation: Any, params: Any) -> dict[str, Any]:
    """`params` converted (timestamps, blobs). Raises one `AwsError` for every constraint of the model that they break.

    The texts are those of AWS's own framework, the same for every service: "1 validation error detected: Value … at …".
    """
    failures: Failures = []
    checked: dict[str, Any] = _checker(operation.input_shape)(params, None, failures)
    if failures:
        texts = [
            f"Value {shown} at '{_dotted(path)}' failed to satisfy constraint: {text}" for path, shown, text in failures
        ]
        count = f"{len(texts)} validation error{'s' if len(texts) > 1 else ''} detected: "
        raise AwsError("ValidationException", count + "; ".join(texts))
    return checked


def _dotted(path: Path) -> str:
    names: list[str] = []
    while path is not None:
        path, name = path
        names.append(name[:1].lower() + name[1:])
    return ".".join(reversed(names))


def _wrong_type(value: Any, wanted: str) -> AwsError:
    return AwsError("SerializationException", f"{type(value).__name__} can not be converted to {wanted}.")


def _checker(shape: Any) -> Check:
    """The check of a shape, built once. Recursive shapes are fine: a structure's members are built at first use."""
    known: Check | None = getattr(shape, "local_aws_check", None)
    if known is None:
        known = shape.local_aws_check = _BUILDERS.get(shape.type_name, lambda _: _any)(shape)
    return known


def _structure(shape: Any) -> Check:
    @functools.cache
    def members() -> dict[str, Check]:
        return {name: _checker(member) for name, member in shape.members.items()}

    required = tuple(shape.required_members)

    def run(value: Any, path: Path, failures: Failures) -> Any:
        if not isinstance(value, dict):
            raise _wrong_type(value, "a structure")
        checks, checked = members(), {}
        for name, item in value.items():
            if item is not None and (found := checks.get(name)):
                checked[name] = found(item, (path, name), failures)
        for name in required:
            if name not in checked:
                failures.append(((path, name), "null", "Member must not be null"))
        return checked

    return run


def _list(shape: Any) -> Check:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    member = _checker(shape.member)

    def run(value: Any, path: Path, failures: Failures) -> Any:
        if not isinstance(value, list | tuple):
            raise _wrong_type(value, "a list")
        _length(len(value), low, high, "[...]", path, failures)
        return [member(item, ((path, str(place)), "member"), failures) for place, item in enumerate(value, 1)]

    return run


def _map(shape: Any) -> Check:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    key_check, value_check = _checker(shape.key), _checker(shape.value)

    def run(value: Any, path: Path, failures: Failures) -> Any:
        if not isinstance(value, dict):
            raise _wrong_type(value, "a map")
        _length(len(value), low, high, "{...}", path, failures)
        return {
            key_check(key, (path, "key"), failures): value_check(item, (path, "value"), failures)
            for key, item in value.items()
        }

    return run


def _length(length: int, low: int | None, high: int | None, shown: str, path: Path, failures: Failures) -> None:
    if low is not None and length < low:
        failures.append((path, shown, f"Member must have length greater than or equal to {low}"))
    if high is not None and length > high:
        failures.append((path, shown, f"Member must have length less than or equal to {high}"))


@functools.lru_cache(maxsize=2048)
def _pattern(text: str) -> re.Pattern[str] | None:
    r"""A model's pattern (Java's dialect) for Python; None: Python cannot say it (`\p{…}`), so it is not checked."""
    try:
        return re.compile(text.replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff"))
    except re.error:
        return None


def _string(shape: Any) -> Check:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    enum = frozenset(getattr(shape, "enum", ()) or ())
    text = shape.metadata.get("pattern")
    pattern = _pattern(text) if text else None
    if not (low or high is not None or enum or pattern):
        return _plain

    def run(value: Any, path: Path, failures: Failures) -> Any:
        if not isinstance(value, str):
            raise _wrong_type(value, "a String")
        _length(len(value), low, high, f"'{value}'", path, failures)
        if pattern is not None and pattern.fullmatch(value) is None:
            failures.append((path, f"'{value}'", f"Member must satisfy regular expression pattern: {text}"))
        if enum and value not in enum:
            failures.append((path, f"'{value}'", f"Member must satisfy enum value set: [{', '.join(sorted(enum))}]"))
        return value

    return run


def _number(shape: Any) -> Check:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")

    def run(value: Any, path: Path, failures: Failures) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(value, "a number")
        if low is not None and value < low:
            failures.append((path, f"'{value}'", f"Member must have value greater than or equal to {low}"))
        if high is not None and value > high:
            failures.append((path, f"'{value}'", f"Member must have value less than or equal to {high}"))
        return value

    return run


def _plain(value: Any, _path: Path, _failures: Failures) -> Any:
    if not isinstance(value, str):
        raise _wrong_type(value, "a String")
    return value


def _boolean(value: Any, _path: Path, _failures: Failures) -> Any:
    if not isinstance(value, bool):
        raise _wrong_type(value, "a Boolean")
    return value


def _timestamp(value: Any, _path: Path, _failures: Failures) -> Any:
    try:
        return value if isinstance(value, dt.datetime) else parse_timestamp(value).astimezone(dt.UTC)
    except (ValueError, TypeError) as error:
        raise _wrong_type(value, "a Timestamp") from error


def _blob(value: Any, _path: Path, _failures: Failures) -> Any:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except ValueError as error:
        raise _wrong_type(value, "a Blob") from error


def _any(value: Any, _path: Path, _failures: Failures) -> Any:
    return value


_BUILDERS: dict[str, Callable[[Any], Check]] = {
    "structure": _structure, "list": _list, "map": _map, "string": _string, "character": _string,
    "integer": _number, "long": _number, "short": _number, "float": _number, "double": _number,
    "boolean": lambda _: _boolean, "timestamp": lambda _: _timestamp, "blob": lambda _: _blob,
}  # fmt: skip


# -------------------------------------------------------------------------------------------------------- responses


def _encode(value: Any) -> Any:
    """What JSON cannot hold, as the JSON protocols write it: timestamps as seconds, blobs in base64."""
    if isinstance(value, dt.datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"a result holds a {type(value).__name__}, which no protocol can carry")


def protocol_of(model: Any) -> str:
    """The protocol that answers are in: JSON where a service speaks several, as botocore prefers (CloudWatch)."""
    return "json" if "json" in model.metadata.get("protocols", ()) else str(model.protocol)


def serialise(operation: Any, result: Mapping[str, Any]) -> Answer:
    """A handler's result as the response of the operation's protocol."""
    model = operation.service_model
    if protocol_of(model) == "json":
        headers = {"Content-Type": f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.1')}"}
        return 200, headers, json.dumps(result, default=_encode).encode()
    made = get_serializer_class(model.service_name, model.protocol)(operation).serialize(result)
    status, body = made["status_code"], made["body"]
    for name, member in operation.output_shape.members.items() if operation.output_shape else ():
        if member.serialization.get("location") == "statusCode" and name in result:
            status = result[name]
    return status, dict(made["headers"]), body.encode() if isinstance(body, str) else body or b""


def failure(service: str | None, error: AwsError, request_id: str) -> Answer:
    """An error in the shape of the service's protocol; JSON where nobody knows the protocol."""
    try:
        model = get_service_model(service) if service else None
    except UnknownServiceError:
        model = None
    protocol = protocol_of(model) if model else "json"
    if protocol in {"query", "rest-xml", "ec2"}:
        fields = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        if service == "s3":
            body = f"<Error>{fields}<RequestId>{request_id}</RequestId></Error>"
        elif protocol == "ec2":
            body = f"<Response><Errors><Error>{fields}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        else:
            fault = "Sender" if error.status < 500 else "Receiver"
            fields = f"<Type>{fault}</Type>{fields}"
            body = f"<ErrorResponse><Error>{fields}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        return error.status, {"Content-Type": "text/xml"}, body.encode()
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}
    body = json.dumps({"__type": error.code, "message": error.message, "Message": error.message})
    return error.status, headers, body.encode()


def service_of(signing_name: str) -> str:
    return SERVICES_BY_SIGNING_NAME.get(signing_name, signing_name)
