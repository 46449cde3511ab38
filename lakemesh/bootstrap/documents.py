"""IAM documents as plain values, small enough for what takes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

Statement = Mapping[str, Any]
"""One statement of an IAM document, in IAM's own words."""
Document = dict[str, Any]

MANAGED_POLICY_CHARACTERS: Final = 6144
"""IAM and STS quotas: characters of a customer managed policy, white space not counted."""
MANAGED_POLICIES_OF_A_ROLE: Final = 10
"""IAM and STS quotas: managed policies attached to a role, unless AWS has raised it."""
CONTROL_POLICY_CHARACTERS: Final = 5120
"""AWS Organizations quotas: characters of a service control policy."""


class BootstrapError(ValueError):
    """A mesh whose accounts cannot be prepared so; the text says what to change."""


def allow(sid: str, actions: Iterable[str], resources: Iterable[str], condition: Statement | None = None) -> Statement:
    """A statement that allows `actions` on `resources`."""
    return _statement(sid, "Allow", actions, resources, condition)


def deny(
    sid: str, actions: Iterable[str], resources: Iterable[str] = ("*",), condition: Statement | None = None
) -> Statement:
    """A statement that denies `actions` on `resources`: no other statement brings them back."""
    return _statement(sid, "Deny", actions, resources, condition)


def _statement(
    sid: str, effect: str, actions: Iterable[str], resources: Iterable[str], condition: Statement | None
) -> Statement:
    made = {"Sid": sid, "Effect": effect, "Action": sorted(set(actions)), "Resource": sorted(set(resources))}
    return {**made, "Condition": condition} if condition else made


def document(statements: Iterable[Statement]) -> Document:
    """The IAM document of some statements."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def compact(value: Mapping[str, Any]) -> str:
    """A document as text without white space: what quotas count."""
    return json.dumps(value, separators=(",", ":"))


def readable(value: Mapping[str, Any]) -> str:
    """A document as text for people: what a service control policy's quota counts when the API gets it so."""
    return json.dumps(value, indent=2) + "\n"


def size(statements: Iterable[Statement]) -> int:
    """Characters of the document of some statements."""
    return len(compact(document(statements)))


def pack(statements: Iterable[Statement], limit: int = MANAGED_POLICY_CHARACTERS) -> list[Document]:
    """Documents of at most `limit` characters that together say what `statements` say, in their order.

    A statement that is too long alone is cut by its resources: one that is added at their end leaves the parts before
    it as they were.
    """
    documents: list[list[Statement]] = [[]]
    for statement in statements:
        for part in _cut(statement, limit):
            if size([*documents[-1], part]) > limit:
                documents.append([])
            documents[-1].append(part)
    return [document(each) for each in documents if each]


def _cut(statement: Statement, limit: int) -> Iterator[Statement]:
    if size([statement]) <= limit:
        yield statement
        return
    room = limit - size([{**statement, "Sid": f"{statement['Sid']}99", "Resource": []}])
    parts: list[list[str]] = [[]]
    taken = 0
    for resource in statement["Resource"]:
        needed = len(json.dumps(resource)) + 1
        if parts[-1] and taken + needed > room:
            parts.append([])
            taken = 0
        if needed > room:
            raise BootstrapError(f"one statement for {resource} alone exceeds {limit} characters")
        parts[-1].append(resource)
        taken += needed
    for number, resources in enumerate(parts, start=1):
        yield {**statement, "Sid": f"{statement['Sid']}{number}", "Resource": resources}
