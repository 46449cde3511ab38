"""The control face, under `/_local` on the port of AWS itself: what people and the engine ask that no AWS has.

| method and path | does |
|---|---|
| GET /_local/health | says that it answers, as which process, and a name for what it holds, new with every reset |
| POST /_local/reset | forgets every account's state |
| GET /_local/journal?after=N | every call that changed something, from entry N on |
| PUT, GET /_local/organization | states the organization (id, management, members, ramSharing), or tells it |
| POST /_local/advance | moves the clock of schedules and queues on by `seconds` |
| GET /_local/idle?timeout=30 | waits until deliveries and what they start are done (`idle`), then evaluates alarms |
| PUT, GET /_local/faults | states a plan of faults for Glue's events, or tells how many were sent and dropped |
| GET /_local/notifications?topic=T | what was published to SNS topics, and to whom |
| POST /_local/notifications | confirms the pending subscriptions of an address (`confirm`) |
| /_local/ledger | the ledgers of the in-process engine (`local_aws.services.ledger`) |

Requests are unsigned: this listens on loopback. A browser's are refused, or any page a developer visits could reset it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from typing import Any

from moto.core.request import Request

from local_aws.services import alarms, background, calls, clock, front, glue_events, journal, ledger, organizations, sns

Answer = tuple[int, Any]
Handler = Callable[[Request, str, dict[str, Any] | None], Answer]


def _body(request: Request) -> dict[str, Any] | None:
    """The request's JSON object; None: there is no body. Raises ValueError."""
    data = request.get_data()
    if not data:
        return None
    loaded = json.loads(data)
    if not isinstance(loaded, dict):
        raise ValueError("the body of a request is a JSON object")  # noqa: TRY004 - its text is wrong, not its type
    return loaded


def _route(path: str, *methods: str) -> Callable[[Handler], Handler]:
    """Register a handler of (request, rest of its path, body) for some methods below a path."""

    def register(handler: Handler) -> Handler:
        def answer(request: Request) -> Answer:
            if request.headers.get("Origin") or request.headers.get("Sec-Fetch-Site"):
                return 403, {"error": "The control face does not answer browsers."}
            if request.method not in methods:
                return 405, {"error": f"{path} answers {', '.join(methods)}, not {request.method}."}
            try:
                return handler(request, request.path.removeprefix(path), _body(request))
            except (ValueError, KeyError, TypeError) as error:
                return 400, {"error": f"{request.method} {request.path}: {error}"}

        front.route(path, answer)
        return handler

    return register


_world = {"name": secrets.token_hex(6)}


@_route("/_local/health", "GET")
def health(_request: Request, _rest: str, _body: Any) -> Answer:
    known = {"pid": os.getpid(), "operations": len(calls.modelled()), "world": _world["name"]}
    return 200, {"status": "ok"} | known


@_route("/_local/reset", "POST")
def reset(_request: Request, _rest: str, _body: Any) -> Answer:
    calls.reset()
    _world["name"] = secrets.token_hex(6)
    return 200, {}


@_route("/_local/journal", "GET")
def read_journal(request: Request, _rest: str, _body: Any) -> Answer:
    return 200, {"entries": journal.entries(int(request.args.get("after", "0")))}


@_route("/_local/organization", "PUT", "GET")
def organization(request: Request, _rest: str, body: dict[str, Any] | None) -> Answer:
    if request.method == "GET":
        found = organizations.of(request.args.get("account", ""))
    else:
        given = body or {}
        found = organizations.declare(
            given["id"], given["management"], given["members"], ram_sharing=bool(given.get("ramSharing", False))
        )
    if found is None:
        return 404, {"error": "That account is in no organization."}
    told = {"id": found.id, "management": found.management, "members": sorted(found.members)}
    return 200, told | {"ramSharing": found.ram_sharing}


@_route("/_local/ledger", "GET", "PUT", "PATCH", "DELETE")
def ledgers(request: Request, rest: str, body: dict[str, Any] | None) -> Answer:
    return ledger.answer(request.method, rest, body)


@_route("/_local/advance", "POST")
def advance(_request: Request, _rest: str, body: dict[str, Any] | None) -> Answer:
    clock.advance(float((body or {})["seconds"]))
    background.wake()
    return 200, {"now": clock.now()}


@_route("/_local/idle", "GET")
def idle(request: Request, _rest: str, _body: Any) -> Answer:
    done = background.wait_idle(min(float(request.args.get("timeout", "30")), 300))
    alarms.evaluate_all()
    return 200, {"idle": done}


@_route("/_local/faults", "GET", "PUT")
def faults(request: Request, _rest: str, body: dict[str, Any] | None) -> Answer:
    if request.method == "PUT":
        glue_events.plan(glue_events.Faults(**(body or {})))
    return 200, glue_events.counts()


@_route("/_local/notifications", "GET", "POST")
def notifications(request: Request, _rest: str, body: dict[str, Any] | None) -> Answer:
    if request.method == "POST":
        return 200, {"confirmed": sns.confirm(str((body or {})["confirm"]))}
    return 200, {"notifications": sns.published(request.args.get("topic"))}
