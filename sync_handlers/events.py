"""Events as frozen values. Whatever is not understood is refused before any call is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any

from sync_handlers.errors import EventError


@unique
class Lifecycle(StrEnum):
    """What the deployment is doing with the invocation (`tf.action`, lifecycle scope CRUD of aws.lambda.Invocation)."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Deployment:
    lifecycle: Lifecycle
    previous: Mapping[str, Any]
    """The event of the deployment before this one; empty at creation."""


@dataclass(frozen=True)
class SyncEvent:
    twin: str
    digest: str
    deployment: Deployment


@dataclass(frozen=True)
class TagEvent:
    product: str
    tables: Mapping[str, str]
    """Digest of each of the product's tables, by `twin.table`."""
    deployment: Deployment

    @property
    def left(self) -> tuple[str, ...]:
        """Tables that the deployment before this one tagged and this one no longer names."""
        previous = self.deployment.previous.get("tables")
        return tuple(sorted(set(previous) - set(self.tables))) if isinstance(previous, dict) else ()


@dataclass(frozen=True)
class AcceptEvent:
    owner: str
    databases: tuple[str, ...]
    deployment: Deployment


@dataclass(frozen=True)
class Document:
    """Statements for one resource policy: of a bucket by its name or of a key by its ARN."""

    name: str
    statements: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class StatementsEvent:
    sid_prefix: str
    buckets: tuple[Document, ...]
    keys: tuple[Document, ...]
    deployment: Deployment


def sync_event(event: Any) -> SyncEvent:
    body = _body(event, "reconcile")
    return SyncEvent(_text(body, "twin"), _text(body, "digest"), _deployment(body))


def tag_event(event: Any) -> TagEvent:
    body = _body(event, "tag")
    tables = body.get("tables")
    if not isinstance(tables, dict) or not all(isinstance(digest, str) for digest in tables.values()):
        raise EventError("event.tables: not an object of digests by `twin.table`.")
    return TagEvent(_text(body, "product"), tables, _deployment(body))


def accept_event(event: Any) -> AcceptEvent:
    body = _body(event, "accept")
    owner = _text(body, "owner")
    if len(owner) != 12 or not owner.isdigit():
        raise EventError(f"event.owner: {owner!r} is not a 12-digit account id.")
    databases = body.get("databases", [])
    if not isinstance(databases, list) or not all(isinstance(name, str) for name in databases):
        raise EventError("event.databases: not a list of names.")
    return AcceptEvent(owner, tuple(databases), _deployment(body))


def statements_event(event: Any) -> StatementsEvent:
    body = _body(event, "statements")
    deployment = _deployment(body)
    return StatementsEvent(
        _text(body, "sidPrefix"), _documents(body, "buckets", "bucket"), _documents(body, "keys", "key"), deployment
    )


def previous_statements(event: StatementsEvent) -> StatementsEvent | None:
    """What the deployment before this one asked for, or None."""
    if not event.deployment.previous:
        return None
    return statements_event(event.deployment.previous)


def _body(event: Any, action: str) -> Mapping[str, Any]:
    if not isinstance(event, dict):
        raise EventError(f"The event is not a JSON object: {type(event).__name__}.")
    if event.get("action") != action:
        raise EventError(f"event.action: expected {action!r}, got {event.get('action')!r}.")
    return event


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise EventError(f"event.{key}: expected a text that is not empty, got {type(value).__name__}.")
    return value


def _deployment(body: Mapping[str, Any]) -> Deployment:
    """`tf` as the provider adds it; an event without it is one run by hand and counts as an update."""
    value = body.get("tf")
    if value is None:
        return Deployment(Lifecycle.UPDATE, {})
    if not isinstance(value, dict) or value.get("action") not in set(Lifecycle):
        raise EventError(f"event.tf.action: expected one of {', '.join(Lifecycle)}.")
    previous = value.get("prev_input")
    if isinstance(previous, str):
        try:
            previous = json.loads(previous)
        except ValueError:
            raise EventError("event.tf.prev_input: not JSON.") from None
    if previous is not None and not isinstance(previous, dict):
        raise EventError("event.tf.prev_input: not a JSON object.")
    return Deployment(Lifecycle(value["action"]), previous or {})


def _documents(body: Mapping[str, Any], key: str, name: str) -> tuple[Document, ...]:
    values = body.get(key, [])
    if not isinstance(values, list):
        raise EventError(f"event.{key}: not a list.")
    documents = tuple(_document(value, f"event.{key}[{index}]", name) for index, value in enumerate(values))
    names = [document.name for document in documents]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise EventError(f"event.{key}: named more than once: {', '.join(twice)}.")
    return documents


def _document(value: Any, where: str, name: str) -> Document:
    if not isinstance(value, dict):
        raise EventError(f"{where}: not a JSON object.")
    statements = value.get("statements")
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        raise EventError(f"{where}.statements: not a list of policy statements.")
    return Document(_text(value, name), tuple(statements))
