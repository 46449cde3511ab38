"""What a request would lead to, found out by the same code that reads the YAML: the grant is tried in the mesh."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from lakemesh.access.holders import Access, Holder, Kind, sensitivity
from lakemesh.declarations.errors import Problem
from lakemesh.declarations.models import Access as Sort
from lakemesh.portal.provision import grants_file
from lakemesh.portal.provision.entry import entry
from lakemesh.portal.requests.commands import RefusedError
from lakemesh.portal.requests.model import Ask, Request
from lakemesh.portal.workspace import Workspace

_PLACE: Final = re.compile(r"grants\[\d+\]\.?(\w*)")
_FIELDS: Final = ("product", "to", "access", "sensitivity", "columns", "rows", "expires", "purpose")


@dataclass(frozen=True)
class Gain:
    """A column that somebody could read and could not before."""

    principal: str
    table: str
    column: str
    sensitivity: str


@dataclass(frozen=True)
class Preview:
    """What would come of a request."""

    gains: tuple[Gain, ...]
    held: int
    """Columns of the product that the principals can read already."""
    out_of_reach: tuple[str, ...]
    """Columns (`table.column`) of the product that they could still not read."""

    @property
    def nothing_new(self) -> bool:
        """Whether it gives nothing that they do not have."""
        return not self.gains


class InvalidAskError(RefusedError):
    """The mesh refuses the grant; every problem, and the field it is about."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("\n".join(text for _, text in problems), problems[0][0])
        self.problems = problems
        """(field, what is wrong), the field empty where it is none of the form's."""


def preview(workspace: Workspace, request: Request) -> Preview:
    """Try the grant of a request (as if its approvers had approved it) in the mesh as it is now.

    Raises InvalidAskError for what the mesh would refuse.
    """
    now = workspace.mesh()
    product = now.declarations.products.get(request.ask.product)
    if product is None:
        raise InvalidAskError((("product", f'There is no product "{request.ask.product}".'),))
    file = f"grants/{product.domain}.yaml"
    trial = workspace.trial({file: _written(workspace.text(file), request)})
    new = tuple(problem for problem in trial.problems if problem not in now.broken)
    if new or trial.access is None:
        raise InvalidAskError(tuple(_field(problem) for problem in new or trial.problems))
    return _compared(now.access, trial.access, request.ask)


def _written(text: str, request: Request) -> str:
    try:
        there = grants_file.found(text, request.grant_id)
        values = entry(request)
        return grants_file.exchanged(text, there, values) if there else grants_file.added(text, values)
    except grants_file.EditConflictError as error:
        raise InvalidAskError((("", str(error)),)) from error


def assumed(request: Request, approvers: tuple[str, ...]) -> Request:
    """The request as it would be once it is approved: what a preview has to look at."""
    approvals = approvers[: max(request.needed, 1)] if request.needed else ()
    return replace(request, approvals=approvals, approved_at=request.approved_at or request.changed_at)


def _field(problem: Problem) -> tuple[str, str]:
    match = _PLACE.match(problem.path)
    name = match.group(1) if match else ""
    return (name if name in _FIELDS else ""), problem.message


# ---------------------------------------------------------------------------------------------------- comparison
def _compared(before: Access, after: Access, ask: Ask) -> Preview:
    gains: list[Gain] = []
    held: set[str] = set()
    beyond: set[str] = set()
    for holder in holders(after, ask.to):
        for key, table in _tables(after, ask.product).items():
            had, has = _columns(before, holder, key, ask), _columns(after, holder, key, ask)
            name = ".".join(key)
            held |= {f"{name}.{column}" for column in had}
            beyond |= {f"{name}.{column}" for column in table.keys() - has}
            gains += [Gain(holder.name, name, column, table[column]) for column in sorted(has - had)]
    return Preview(tuple(gains), len(held), tuple(sorted(beyond)))


def holders(access: Access, to: str) -> tuple[Holder, ...]:
    """Whom a grant reaches: one principal, or a consumer's account."""
    if "/" in to:
        return tuple(one for one in access.principals if one.name == to)
    return tuple(one for one in access.holders.values() if one.kind is Kind.ACCOUNT and one.name == to)


def _tables(access: Access, product: str) -> dict[tuple[str, str], dict[str, str]]:
    return {
        key: {column.name: sensitivity(column) for column in table.columns}
        for key, (owner, table) in access.tables.items()
        if owner.name == product
    }


def _columns(access: Access, holder: Holder, key: tuple[str, str], ask: Ask) -> frozenset[str]:
    found = access.of(holder).get(key)
    if found is None:
        return frozenset()
    return found.selectable if ask.access is Sort.READ else found.visible


def open_like(ask: Ask, others: Mapping[str, Request], waiting: frozenset[Any]) -> Iterator[Request]:
    """Requests for the same access that are not decided, or work."""
    return (one for one in others.values() if one.status in waiting and one.ask.digest() == ask.digest())
