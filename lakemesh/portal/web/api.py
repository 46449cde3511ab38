"""The same as the pages, as JSON: /api/v1. Described by its OpenAPI document."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from lakemesh.declarations.models import Sensitivity, Status
from lakemesh.portal.catalogue.browse import Filters, Result
from lakemesh.portal.requests.validate import Preview
from lakemesh.portal.web.bodies import (
    Answer,
    AskBody,
    Empty,
    Name,
    Narrowed,
    NewRequest,
    Question,
    Reason,
    Seen,
    event_json,
    request_json,
)
from lakemesh.portal.web.caller import Caller, caller, services


class Problem(BaseModel):
    """Why not."""

    error: str
    """In words."""
    field: str
    """What to mend; empty where it is no field."""


_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text}
    for status, text in (
        (400, "Malformed"),
        (401, "Not signed in"),
        (403, "Not yours to do"),
        (404, "There is none, or none for you"),
        (413, "Too large"),
        (422, "Refused, with the field to mend"),
        (429, "Too many calls"),
        (503, "The mesh cannot be read"),
    )
}
router = APIRouter(prefix="/api/v1", responses=_ERRORS)
Who = Annotated[Caller, Depends(caller)]
Identifier = Annotated[str, Path(pattern=r"^REQ-[0-9A-HJKMNP-TV-Z]{10}$")]
Product = Annotated[str, Path(max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


@router.get("/products")
def products(
    request: Request,
    who: Who,
    q: Annotated[str, Query(max_length=500, description="Words to find; all products where there are none.")] = "",
    domain: Annotated[str | None, Query(max_length=128)] = None,
    sensitivity: Sensitivity | None = None,
    status: Status | None = None,
    fresh: bool | None = None,
) -> dict[str, Any]:
    """Products that exist for the caller."""
    found = services(request).portal.find(who.person, q, Filters(domain, sensitivity, status, fresh))
    return {"products": [_result(one) for one in found.results], "instead": [list(one) for one in found.instead]}


@router.get("/products/{name}")
def product(
    request: Request,
    who: Who,
    name: Product,
    principal: Annotated[Name | None, Query(alias="as", description="consumer/alias of one of the caller's.")] = None,
) -> dict[str, Any]:
    """One product, with what a principal of the caller's could read of it."""
    page = services(request).portal.page(who.person, name, principal)
    return {
        "product": page.product.name,
        "title": page.product.title,
        "description": page.product.description,
        "domain": page.product.domain,
        "status": str(page.product.status),
        "version": page.product.version,
        "owner": page.owner,
        "approvers": list(page.approvers),
        "contract": page.contract,
        "tables": [asdict(table) for table in page.tables],
        "readers": [asdict(reader) for reader in page.readers],
    }


@router.post("/preview")
def preview(request: Request, who: Who, body: AskBody) -> dict[str, Any]:
    """What a request would lead to. Stores nothing."""
    found, approval = services(request).portal.draft(who.person, body.ask())
    return {**_preview(found), "needed": approval.needed, "approvers": list(approval.approvers)}


@router.get("/requests")
def requests(request: Request, who: Who) -> dict[str, Any]:
    """Requests that the caller may see, the newest first."""
    return {"requests": [request_json(one) for one in services(request).portal.requests(who.person)]}


@router.post("/requests", status_code=201)
def submit(request: Request, who: Who, body: NewRequest) -> dict[str, Any]:
    """Make a request; one token makes one request."""
    return request_json(services(request).portal.submit(who.person, body.ask(), body.token, body.extends))


@router.get("/requests/{identifier}")
def one(request: Request, who: Who, identifier: Identifier) -> dict[str, Any]:
    """A request with everything that happened to it."""
    seen = services(request).portal.request(who.person, identifier)
    may = {name.removeprefix("may_"): value for name, value in asdict(seen).items() if name.startswith("may_")}
    events = [event_json(event) for event in seen.events]
    return {**request_json(seen.request), "approvers": list(seen.approvers), "may": may, "events": events}


@router.post("/requests/{identifier}/approve")
def approve(request: Request, who: Who, identifier: Identifier, body: Seen) -> dict[str, Any]:
    """Say yes."""
    return request_json(services(request).portal.approve(who.person, identifier, body.seen))


@router.post("/requests/{identifier}/narrow")
def narrow(request: Request, who: Who, identifier: Identifier, body: Narrowed) -> dict[str, Any]:
    """Give less than was asked; it needs a yes afterwards."""
    return request_json(services(request).portal.narrow(who.person, identifier, body.ask(), body.seen))


@router.post("/requests/{identifier}/reject")
def reject(request: Request, who: Who, identifier: Identifier, body: Reason) -> dict[str, Any]:
    """Say no, and why."""
    return request_json(services(request).portal.reject(who.person, identifier, body.reason))


@router.post("/requests/{identifier}/ask-back")
def ask_back(request: Request, who: Who, identifier: Identifier, body: Question) -> dict[str, Any]:
    """Ask the requester something."""
    return request_json(services(request).portal.ask_back(who.person, identifier, body.question))


@router.post("/requests/{identifier}/answer")
def answer(request: Request, who: Who, identifier: Identifier, body: Answer) -> dict[str, Any]:
    """Answer what was asked back."""
    return request_json(services(request).portal.answer(who.person, identifier, body.answer))


@router.post("/requests/{identifier}/withdraw")
def withdraw(request: Request, who: Who, identifier: Identifier, _: Empty) -> dict[str, Any]:
    """Take it back."""
    return request_json(services(request).portal.withdraw(who.person, identifier))


@router.post("/requests/{identifier}/revoke")
def revoke(request: Request, who: Who, identifier: Identifier, body: Reason) -> dict[str, Any]:
    """Take access away."""
    return request_json(services(request).portal.revoke(who.person, identifier, body.reason))


@router.post("/requests/{identifier}/retry")
def retry(request: Request, who: Who, identifier: Identifier, _: Empty) -> dict[str, Any]:
    """Provision again what failed."""
    return request_json(services(request).portal.retry(who.person, identifier))


@router.get("/log", response_class=StreamingResponse)
def log(request: Request, who: Who) -> StreamingResponse:
    """Every event, one JSON document a line. Stewards only."""
    events = services(request).portal.export(who.person)

    def lines() -> Iterator[bytes]:
        for event in events:
            yield json.dumps(event_json(event), sort_keys=True).encode() + b"\n"

    name = f"access-log-{dt.datetime.now(dt.UTC):%Y-%m-%d}.jsonl"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines(), media_type="application/jsonl", headers=headers)


def _result(one: Result) -> dict[str, Any]:
    health = one.health
    return {
        "product": one.product.name,
        "title": one.product.title,
        "description": one.product.description,
        "domain": one.product.domain,
        "status": str(one.product.status),
        "sensitivities": [str(level) for level in one.levels],
        "unreviewed": one.unreviewed,
        "fresh": health.fresh,
        "newest": health.newest.isoformat() if health.newest else None,
    }


def _preview(found: Preview) -> dict[str, Any]:
    return {
        "gains": [asdict(gain) for gain in found.gains],
        "held": found.held,
        "outOfReach": list(found.out_of_reach),
        "nothingNew": found.nothing_new,
    }
