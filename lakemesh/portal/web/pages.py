"""The pages. Each works without scripts; HTMX only saves reloading what does not change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from lakemesh.declarations.models import Access, Sensitivity, Status
from lakemesh.portal.catalogue.browse import Filters
from lakemesh.portal.requests.commands import ForbiddenError, RefusedError
from lakemesh.portal.requests.desk import new_token
from lakemesh.portal.requests.model import Ask
from lakemesh.portal.requests.validate import InvalidAskError
from lakemesh.portal.service import Portal
from lakemesh.portal.web.bodies import AskBody
from lakemesh.portal.web.caller import Caller, caller, services

router = APIRouter(include_in_schema=False)
Who = Annotated[Caller, Depends(caller)]
T = TypeVar("T")
LEAST_TOKEN: Final = 16
"""Characters; ours have 32."""
LISTED: Final = 100
"""Entries of a list on one page."""


def _portal(request: Request) -> Portal:
    return services(request).portal


def _page(request: Request, who: Caller, template: str, status: int = 200, **values: Any) -> Response:
    return services(request).templates.page(request, who, template, status, **values)


@router.get("/health")
def health(request: Request) -> dict[str, str]:
    """For load balancers: the mesh can be read."""
    _portal(request).mesh()
    return {"status": "ok"}


# ------------------------------------------------------------------------------------------------------- discovery
@router.get("/")
def search(request: Request, who: Who) -> Response:
    """Search, or everything."""
    asked = request.query_params
    text = asked.get("q", "")[:500]
    filters, chosen = _filters(asked)
    portal = _portal(request)
    found = portal.find(who.person, text, filters)
    mesh = portal.mesh()
    template = (
        "results.html" if request.headers.get("hx-request") and not request.headers.get("hx-boosted") else "search.html"
    )
    return _page(
        request, who, template,
        text=text, chosen=chosen, found=found, listed=found.results[:LISTED], broken=mesh.broken,
        domains=sorted({product.domain for product in portal.viewer(who.person).products()}),
        sensitivities=list(Sensitivity), statuses=list(Status),
    )  # fmt: skip


def _filters(asked: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """What is chosen; a value that is none is not chosen."""
    chosen = {name: asked.get(name, "") for name in ("domain", "sensitivity", "status", "fresh")}
    fresh = {"yes": True, "no": False}.get(chosen["fresh"])
    return (
        Filters(
            domain=chosen["domain"] or None,
            sensitivity=Sensitivity(chosen["sensitivity"]) if chosen["sensitivity"] in list(Sensitivity) else None,
            status=Status(chosen["status"]) if chosen["status"] in list(Status) else None,
            fresh=fresh,
        ),
        chosen,
    )


@router.get("/products/{name}")
def product(request: Request, who: Who, name: str) -> Response:
    """One product, as one of the person's principals finds it."""
    portal = _portal(request)
    principals = portal.viewer(who.person).principals
    principal = request.query_params.get("as") or (principals[0] if principals else None)
    page = portal.page(who.person, name, principal)
    result = portal.catalogue().result(page.product)
    return _page(request, who, "product.html", page=page, result=result, principals=principals, principal=principal)


# ------------------------------------------------------------------------------------------------------- requesting
@router.get("/products/{name}/request")
def form(request: Request, who: Who, name: str) -> Response:
    """The form of a request."""
    portal = _portal(request)
    wanted = portal.product(who.person, name)
    principals = portal.viewer(who.person).principals
    principal = request.query_params.get("to", principals[0] if principals else "")
    values = {"product": wanted.name, "to": principal, "access": "read", "token": new_token()}
    return _form(request, who, values, {})


@router.get("/requests/{identifier}/extend")
def extend(request: Request, who: Who, identifier: str) -> Response:
    """The form of an extension."""
    seen = _portal(request).request(who.person, identifier)
    if not seen.may_extend:
        raise RefusedError("Only access of your own that works and ends can be extended.")
    values = {**_values(seen.request.ask), "expires": "", "token": new_token(), "extends": identifier}
    return _form(request, who, values, {})


@router.post("/preview")
async def preview(request: Request, who: Who) -> Response:
    """What the form would lead to, shown beside it."""
    values = await _form_values(request)
    try:
        ask = _ask(values)
        portal = _portal(request)
        found, approval = await run_in_threadpool(portal.draft, who.person, ask, values.get("extends") or None)
        same = await run_in_threadpool(portal.duplicate, ask)
    except InvalidFormError as error:
        return _page(request, who, "preview.html", errors=error.errors, found=None)
    except RefusedError as error:
        return _page(request, who, "preview.html", errors=_errors(error), found=None)
    return _page(request, who, "preview.html", errors={}, found=found, approval=approval, same=same)


@router.post("/requests")
async def submit(request: Request, who: Who) -> Response:
    """Make the request, or show the form again with what is wrong beside each field."""
    values = await _form_values(request)
    extends = values.get("extends") or None
    try:
        ask, token = _ask(values), _token(values)
        made = await run_in_threadpool(_portal(request).submit, who.person, ask, token, extends)
    except InvalidFormError as error:
        return await run_in_threadpool(_form, request, who, values, error.errors, 422)
    except ForbiddenError:
        raise
    except RefusedError as error:
        return await run_in_threadpool(_form, request, who, values, _errors(error), 422)
    return RedirectResponse(f"/requests/{made.id}", 303)


def _token(values: Mapping[str, Any]) -> str:
    token = str(values.get("token", ""))
    if len(token) < LEAST_TOKEN:
        raise RefusedError("This form is broken: begin again from the product's page.")
    return token


class InvalidFormError(Exception):
    """Fields that hold something that cannot be."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.errors = errors


async def _form_values(request: Request) -> dict[str, Any]:
    """Fields of a form; those that may be chosen several times as lists."""
    given = await request.form()
    values: dict[str, Any] = {name: str(value) for name, value in given.items()}
    for name in ("sensitivity", "columns"):
        values[name] = [str(value) for value in given.getlist(name)]
    return values


def _ask(values: Mapping[str, Any]) -> Ask:
    body = {name: values[name] for name in AskBody.model_fields if values.get(name)}
    if isinstance(body.get("columns"), list):
        body["columns"] = _by_table(body["columns"])
    try:
        return AskBody.model_validate(body).ask()
    except ValidationError as error:
        raise InvalidFormError({str(one["loc"][0]): one["msg"] for one in error.errors()}) from error


def _by_table(chosen: list[str]) -> dict[str, list[str]]:
    """`table.column` of each box that is ticked, by table."""
    tables: dict[str, list[str]] = {}
    for one in chosen:
        table, _, column = one.partition(".")
        tables.setdefault(table, []).append(column)
    return tables


def _errors(error: RefusedError) -> dict[str, str]:
    if isinstance(error, InvalidAskError):
        return dict(reversed(error.problems))
    return {error.field: str(error)}


def _boxes(ask: Ask) -> list[str]:
    return [f"{table}.{column}" for table, names in (ask.columns or {}).items() for column in names]


def _values(ask: Ask) -> dict[str, Any]:
    return {
        "product": ask.product, "to": ask.to, "access": str(ask.access),
        "sensitivity": [str(level) for level in ask.sensitivity], "columns": _boxes(ask), "rows": ask.rows or "",
        "expires": ask.expires.isoformat() if ask.expires else "", "purpose": ask.purpose,
    }  # fmt: skip


def _form(
    request: Request, who: Caller, values: Mapping[str, Any], errors: Mapping[str, str], status: int = 200
) -> Response:
    portal = _portal(request)
    wanted = portal.product(who.person, str(values.get("product", "")))
    viewer = portal.viewer(who.person)
    given = {name: values.get(name, "") for name in ("to", "access", "rows", "expires", "purpose", "token", "extends")}
    return _page(
        request, who, "request_form.html", status,
        product=wanted, principals=viewer.principals, consumers=sorted(who.person.consumers), values=given,
        levels=values.get("sensitivity") or [], columns=values.get("columns") or [], errors=errors,
        sensitivities=portal.catalogue().result(wanted).levels, accesses=list(Access),
        longest=portal.mesh().declarations.mesh.approvals.longest_days,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- deciding
@router.get("/requests")
def requests(request: Request, who: Who) -> Response:
    """Requests of the person's own, those that wait for the person, or all that the person may see."""
    portal = _portal(request)
    waiting = portal.waiting(who.person)
    view = request.query_params.get("view") or ("waiting" if waiting else "mine")
    if view == "waiting":
        listed = waiting
    else:
        listed = portal.requests(who.person)
        if view == "mine":
            listed = [one for one in listed if one.requester.casefold() == who.person.email.casefold()]
    count = len(listed)
    return _page(request, who, "requests.html", view=view, listed=listed[:LISTED], count=count, waiting=len(waiting))


@router.get("/requests/{identifier}")
def one(request: Request, who: Who, identifier: str) -> Response:
    """A request, what happened to it, and what the person may do about it."""
    return _one(request, who, identifier)


def _one(
    request: Request, who: Caller, identifier: str, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    portal = _portal(request)
    seen = portal.request(who.person, identifier)
    product = portal.mesh().declarations.products.get(seen.request.ask.product)
    return _page(request, who, "request.html", status, seen=seen, product=product, errors=errors or {})


Action = Callable[[Portal, Caller, str, Mapping[str, Any]], Any]


def _seen(values: Mapping[str, Any]) -> int | None:
    text = str(values.get("seen", ""))
    return int(text) if text.isdigit() and len(text) < 10 else None


def _narrowed(portal: Portal, who: Caller, name: str, values: Mapping[str, Any]) -> Any:
    was = portal.request(who.person, name).request.ask
    kept: dict[str, Any] = {"product": was.product, "to": was.to, "access": str(was.access), "purpose": was.purpose}
    if not values.get("columns") and was.columns:
        kept["columns"] = dict(was.columns)
    return portal.narrow(who.person, name, _ask({**values, **kept}), _seen(values))


ACTIONS: Final[Mapping[str, Action]] = {
    "answer": lambda portal, who, name, values: portal.answer(who.person, name, values.get("answer", "")),
    "approve": lambda portal, who, name, values: portal.approve(who.person, name, _seen(values)),
    "ask-back": lambda portal, who, name, values: portal.ask_back(who.person, name, values.get("question", "")),
    "narrow": _narrowed,
    "reject": lambda portal, who, name, values: portal.reject(who.person, name, values.get("reason", "")),
    "retry": lambda portal, who, name, _: portal.retry(who.person, name),
    "revoke": lambda portal, who, name, values: portal.revoke(who.person, name, values.get("reason", "")),
    "withdraw": lambda portal, who, name, _: portal.withdraw(who.person, name),
}
"""What can be done to a request from its page, by the last part of the address."""


@router.post("/requests/{identifier}/{action}")
async def act(request: Request, who: Who, identifier: str, action: str) -> Response:
    """Do something to a request; what is refused is told on its page, beside the field."""
    do = ACTIONS.get(action)
    if do is None:
        return services(request).templates.error(request, 404, "There is no such page.")
    values = await _form_values(request)
    try:
        await run_in_threadpool(do, _portal(request), who, identifier, values)
    except InvalidFormError as error:
        return await run_in_threadpool(_one, request, who, identifier, 422, error.errors)
    except ForbiddenError:
        raise
    except RefusedError as error:
        if not await run_in_threadpool(_exists, _portal(request), who, identifier):
            raise
        return await run_in_threadpool(_one, request, who, identifier, 422, {"act": str(error), **_errors(error)})
    return RedirectResponse(f"/requests/{identifier}", 303)


def _exists(portal: Portal, who: Caller, identifier: str) -> bool:
    try:
        portal.request(who.person, identifier)
    except RefusedError:
        return False
    return True
