"""The front door: one WSGI application that is every AWS service of every account.

A request's signature names access key, region and service; the SDK's service model finds the operation and reads its
parameters; policies decide (`authorize`); a registered handler answers, or moto where `calls.allow` says its answer is
good enough; everything else is refused by name. Signatures are not verified and nothing here ever answers HTML.
"""

from __future__ import annotations

import io
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from botocore import parsers, serialize
from moto.core.request import Request
from moto.core.utils import get_service_model
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from local_aws.services import authorize, calls, identity, journal, wire
from local_aws.services.calls import AwsError, Call
from local_aws.services.identity import Identity
from local_aws.services.wire import Answer

log = logging.getLogger(__name__)

RouteHandler = Callable[[Request], tuple[int, Any]]
"""Answers a request of the control face: HTTP status and what its body holds as JSON."""

_routes: dict[str, RouteHandler] = {}
_SCOPE = re.compile(r"(?:Credential=|^)([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")

calls.on_reset(identity.forget)


def route(prefix: str, handler: RouteHandler) -> None:
    """Answer requests whose path is `prefix` or below it: `route("/_local/health", lambda request: (200, {...}))`."""
    _routes[prefix.rstrip("/")] = handler


# --------------------------------------------------------------------------------------------------- from HTTP


class Signed(NamedTuple):
    """What a SigV4 signature says: who (an access key), where, and for which service."""

    access_key: str
    region: str
    service: str


def signature(request: Request) -> Signed:
    """The credential scope of a request, from its header or from a presigned URL."""
    found = _SCOPE.search(request.headers.get("Authorization") or request.args.get("X-Amz-Credential") or "")
    if found is None:
        raise AwsError(
            "MissingAuthenticationTokenException",
            f"{request.method} {request.path} is not signed. The local AWS answers signed requests of AWS's SDKs; "
            "a 12-digit account id as access key acts as that account's administrator.",
            403,
        )
    return Signed(found[1], found[2], wire.service_of(found[3]))


_INVALID_TOKEN = {
    # IAM, STS and others of the query protocol say it so ("Common errors" of each API reference), S3 in its own way.
    "query": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "rest-xml": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
}


def _identify(signed: Signed) -> Identity:
    who = identity.from_access_key(signed.access_key)
    if who is None:
        protocol = get_service_model(signed.service).protocol
        code, text = _INVALID_TOKEN.get(
            protocol, ("UnrecognizedClientException", "The security token included in the request is invalid.")
        )
        raise AwsError(code, text, 403)
    return who


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI face of `answer`."""
    status, headers, body = answer(Request(environ))
    return Response(body, status, headers)(environ, start_response)


def answer(request: Request) -> Answer:
    """The response to a request, whatever it is."""
    request_id = str(uuid.uuid4())
    service = None
    request.get_data()  # before anything parses a form: moto needs the body as it came
    try:
        path = request.path.rstrip("/")
        if path.startswith("/_local"):
            return _control(path, request)
        signed = signature(request)
        service = signed.service
        status, headers, content = _aws(request, signed)
    except AwsError as error:
        status, headers, content = wire.failure(service, error, request_id)
    except Exception:  # the front door: whatever is wrong inside, the caller gets an answer it can parse
        log.exception("%s %s failed inside the local AWS", request.method, request.path)
        text = f"The local AWS failed on {request.method} {request.path}; see its log."
        status, headers, content = wire.failure(service, AwsError("InternalFailure", text, 500), request_id)
    finally:
        identity.act_as(None)
    headers.setdefault("x-amzn-RequestId", request_id)
    return status, headers, content


def _control(path: str, request: Request) -> Answer:
    for prefix, handler in _routes.items():
        if path == prefix or path.startswith(prefix + "/"):
            status, body = handler(request)
            return status, {"Content-Type": "application/json"}, json.dumps(body, default=str).encode()
    raise AwsError("NotImplementedByLocalAws", f"The local AWS has no {path}.", 501)


def _aws(request: Request, signed: Signed) -> Answer:
    operation, uri = wire.operation_of(signed.service, request)
    who = _identify(signed)
    identity.act_as(who)
    call = Call(signed.service, str(operation.name), signed.region, who)
    try:
        found = calls.find(call.service, call.operation)
        call.params = wire.parse(operation, uri, request)
        authorize.authorize(call)
        if found is not None:
            return wire.serialise(operation, _handle(found, call))
        made = _by_moto(call, request.environ, request.get_data())
    except Exception as error:
        journal.record(call, error.code if isinstance(error, AwsError) else "InternalFailure")
        raise
    journal.record(call, None if made[0] < 400 else str(made[0]))
    return made


def _handle(found: calls.Operation, call: Call) -> Mapping[str, Any]:
    """Run a handler, journal the call (in the lock: the journal's order is the order of effects), tell listeners."""
    if found.exclusive:
        with calls.LOCK:
            result = found.handler(call) or {}
            journal.record(call)
    else:
        result = found.handler(call) or {}
        journal.record(call)
    calls.notify(call, result)
    return result


# --------------------------------------------------------------------------------------------------- from inside


def perform(call: Call) -> Mapping[str, Any]:
    """Do a call as if it had come over HTTP: policies, handler or moto, journal. For services that act for someone.

    Raises `AwsError` as the caller of the API would see it.
    """
    operation = get_service_model(call.service).operation_model(call.operation)
    before = identity.caller()
    identity.act_as(call.identity)
    try:
        found = calls.find(call.service, call.operation)
        if operation.input_shape is not None:
            call.params = wire.check(operation, call.params)
        authorize.authorize(call)
        if found is not None:
            return _handle(found, call)
        result = ask_moto(call)
        journal.record(call)
    except Exception as error:
        journal.record(call, error.code if isinstance(error, AwsError) else "InternalFailure")
        raise
    finally:
        identity.act_as(before)
    return result


def ask_moto(call: Call) -> dict[str, Any]:
    """moto's own answer to a call, whether or not it is allowed: for a handler that corrects moto's input or output.

    No policy is asked and nothing is journalled. Raises `AwsError` with moto's error.
    """
    model = get_service_model(call.service)
    operation = model.operation_model(call.operation)
    serializer = serialize.create_serializer(model.protocol, include_validation=False)
    made = serializer.serialize_to_request(call.params, operation)
    data = made["body"].encode() if isinstance(made["body"], str) else made["body"]
    builder = EnvironBuilder(made["url_path"], method=made["method"], query_string=made["query_string"], data=data)
    builder.headers.extend(made["headers"])
    scope = f"{call.account}/20200101/{call.region}/{model.signing_name}/aws4_request"
    builder.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=local"
    environ = builder.get_environ()
    status, headers, content = _by_moto(call, environ, environ["wsgi.input"].read())
    parsed = parsers.create_parser(model.protocol).parse(
        {"status_code": status, "headers": headers, "body": content}, operation.output_shape
    )
    parsed.pop("ResponseMetadata", None)
    if status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code") or str(status), error.get("Message") or "", status)
    return dict(parsed)


_MOTO_NAMES = {"lambda": "awslambda"}
_apps: dict[str, Any] = {}


def _moto_app(service: str) -> Any:
    """moto's Flask application of one service, made at first use (`moto.moto_server`)."""
    if service not in _apps:
        from moto.moto_server.werkzeug_app import create_backend_app

        app = create_backend_app(_MOTO_NAMES.get(service, service))
        app.debug = False  # an exception in moto is ours to report, not a page for a browser
        app.config["PROPAGATE_EXCEPTIONS"] = True
        _apps[service] = app
    return _apps[service]


def _by_moto(call: Call, environ: dict[str, Any], body: bytes) -> Answer:
    """Hand a request to moto in the caller's account (moto's own header for it, which beats the access key).

    moto keeps no locks of its own: what changes something runs alone.
    """
    passed = {key: value for key, value in environ.items() if not key.startswith("werkzeug.")}
    passed.pop("HTTP_TRANSFER_ENCODING", None)
    passed.pop("wsgi.input_terminated", None)
    passed |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "HTTP_X_MOTO_ACCOUNT_ID": call.account}
    try:
        with calls.LOCK:
            response = Response.from_app(_moto_app(call.service), passed, buffered=True)
            content = response.get_data()
    except NotImplementedError as error:
        raise calls.not_implemented(call.service, call.operation) from error
    if response.status_code >= 400 and content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise calls.not_implemented(call.service, call.operation)
    return response.status_code, dict(response.headers), content
