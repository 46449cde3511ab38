"""Messages of the sync's queue into work. Pure: nothing here asks AWS.

An event says *where to look*, never what is there: Glue sends its events "on a best effort basis", out of sequence,
twice or not at all (Glue developer guide, "Automating AWS Glue with EventBridge"). So a message becomes a table, or a
twin, to compare; what is written is decided by the comparison. Many messages about one table become one piece of work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any

from sync_handlers import checkpoint
from sync_handlers.errors import EventError
from sync_handlers.glue_access import GET_PARTITIONS, Values
from sync_handlers.manifest import Manifest, Source

GLUE = "aws.glue"
DATABASE_CHANGE = "Glue Data Catalog Database State Change"
TABLE_CHANGE = "Glue Data Catalog Table State Change"
MOST_PARTITIONS = GET_PARTITIONS
"""Partitions named by hints, beyond which the whole table is compared: one BatchGetPartition a side."""
MOST_ORIGIN = 128
"""Characters of an id that is carried on; AWS's have 36."""
MOST_DELAY = 900
"""SQS API, SendMessage, DelaySeconds."""


class PoisonError(ValueError):
    """A message that nobody can make sense of: it goes to the dead-letter queue, where a person looks at it."""


@unique
class Drop(StrEnum):
    """Why an event is let go of; each is counted."""

    FORGED = "forged"
    """It does not come from where it says."""
    FOREIGN = "foreign_account"
    """Its account is no producer of the mesh."""
    UNLISTED = "unlisted_database"
    """A producer's database that the mesh does not share: ordinary, the rule cannot know them."""
    UNKNOWN = "unknown_type"
    """A detail type of a later Glue."""
    STALE = "stale"
    """Work for a twin or product that the mesh no longer has."""


@dataclass(frozen=True)
class TableWork:
    """One table to compare; `partitions` as an event spells them, None for the whole table."""

    twin: str
    table: str
    partitions: frozenset[str] | None = None
    turn: int = 0
    """How many invocations before this one ran out of time on it."""
    checkpoint: str | None = None
    """Where the one before stopped in a large table (`checkpoint.Checkpoint.body`)."""

    def body(self) -> dict[str, Any]:
        more = {} if self.partitions is None else {"partitions": sorted(self.partitions)}
        place = {} if self.checkpoint is None else {"checkpoint": self.checkpoint}
        return {"action": "table", "twin": self.twin, "table": self.table, "turn": self.turn, **more, **place}


@dataclass(frozen=True)
class RefreshWork:
    """Every table of one twin, or of all twins (None), to be put on the queue over `window` seconds."""

    twin: str | None = None
    window: int = 0

    def body(self) -> dict[str, Any]:
        return {"action": "refresh", "window": self.window, **({"twin": self.twin} if self.twin else {})}


@dataclass(frozen=True)
class TagWork:
    """LF-Tags of tables of one product (`twin.table`) to be brought to the contract."""

    product: str
    tables: frozenset[str]

    def body(self) -> dict[str, Any]:
        return {"action": "tag", "product": self.product, "tables": sorted(self.tables)}


@dataclass(frozen=True)
class WatchWork:
    """How every domain stands, to be published."""

    def body(self) -> dict[str, Any]:
        return {"action": "watch"}


Work = TableWork | RefreshWork | TagWork | WatchWork


@dataclass
class Batch:
    """Messages of one invocation, sorted: what to do and for which of them, what was let go, what is poison."""

    work: dict[Work, list[str]] = field(default_factory=dict)
    """Ids of the messages that asked for each piece of work."""
    dropped: dict[Drop, int] = field(default_factory=dict)
    poison: dict[str, str] = field(default_factory=dict)
    """What is wrong, by message id."""
    origins: dict[str, str] = field(default_factory=dict)
    """What each message goes back to, by its id: an event, or what a message of the sync's own says it came from."""


def sort(messages: Iterable[tuple[str, str]], manifest: Manifest) -> Batch:
    """Work of (id, body) messages, the messages of one table coalesced."""
    batch, found = Batch(), list[tuple[str, Work]]()
    for identifier, body in messages:
        try:
            message = _object(body)
            batch.origins[identifier] = _origin(message) or identifier
            read = _parsed(message, manifest)
        except PoisonError as error:
            batch.poison[identifier] = str(error)
            continue
        if isinstance(read, Drop):
            batch.dropped[read] = batch.dropped.get(read, 0) + 1
        else:
            found += [(identifier, work) for work in read]
    batch.work = coalesce(found)
    return batch


def coalesce(found: Iterable[tuple[str, Work]]) -> dict[Work, list[str]]:
    """Each table, twin and product once, in the order they came, with the ids of all messages that named it."""
    groups: dict[tuple[str, ...], list[tuple[str, Work]]] = {}
    for identifier, work in found:
        groups.setdefault(_subject(work), []).append((identifier, work))
    return {
        _merged([work for _, work in group]): list(dict.fromkeys(identifier for identifier, _ in group))
        for group in groups.values()
    }


def _subject(work: Work) -> tuple[str, ...]:
    match work:
        case TableWork():
            return "table", work.twin, work.table
        case RefreshWork():
            return "refresh", work.twin or ""
        case TagWork():
            return "tag", work.product
        case WatchWork():
            return ("watch",)


def _merged(works: Sequence[Work]) -> Work:
    first = works[0]
    match first:
        case TableWork():
            named = [work.partitions for work in works if isinstance(work, TableWork)]
            turn = max(work.turn for work in works if isinstance(work, TableWork))
            together: frozenset[str] | None = None
            if None not in named:
                together = frozenset[str]().union(*(each for each in named if each is not None))
            if together is not None and len(together) > MOST_PARTITIONS:
                together = None
            place = next((one.checkpoint for one in works if isinstance(one, TableWork) and one.checkpoint), None)
            if place and len(works) > 1:
                # What the others are about may lie where the pass has been: another has to follow it.
                place = checkpoint.disturbed(place)
            return TableWork(first.twin, first.table, None if place else together, turn, place)
        case RefreshWork():
            return RefreshWork(first.twin, min(work.window for work in works if isinstance(work, RefreshWork)))
        case TagWork():
            return TagWork(
                first.product, frozenset[str]().union(*(work.tables for work in works if isinstance(work, TagWork)))
            )
        case WatchWork():
            return first


# ---------------------------------------------------------------------------------------------------- one message
def parse(body: str, manifest: Manifest) -> Sequence[Work] | Drop:
    """What one message asks for. Raises PoisonError."""
    return _parsed(_object(body), manifest)


def _object(body: str) -> Mapping[str, Any]:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise PoisonError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise PoisonError(f"not a JSON object: {type(message).__name__}")
    return message


def _origin(message: Mapping[str, Any]) -> str | None:
    """Id of the event that a message is, or of what it came from (EventBridge user guide, "AWS service event
    metadata")."""
    found = message.get("id" if "detail-type" in message else "correlation")
    return found if isinstance(found, str) and 0 < len(found) <= MOST_ORIGIN else None


def _parsed(message: Mapping[str, Any], manifest: Manifest) -> Sequence[Work] | Drop:
    if "detail-type" in message:
        return _event(message, manifest)
    return _own(message, manifest)


def _own(message: Mapping[str, Any], manifest: Manifest) -> Sequence[Work] | Drop:
    """What the mesh itself put on the queue."""
    match message.get("action"):
        case "table":
            partitions = message.get("partitions")
            named = None if partitions is None else frozenset(_texts(partitions, "partitions"))
            place = _place(message)
            work = TableWork(_text(message, "twin"), _text(message, "table"), named, _number(message, "turn"), place)
            return [work] if work.twin in manifest.sources else Drop.STALE
        case "refresh":
            twin = _text(message, "twin") if "twin" in message else None
            if twin is not None and twin not in manifest.sources:
                return Drop.STALE
            return [RefreshWork(twin, min(_number(message, "window"), MOST_DELAY))]
        case "tag":
            product, tables = _text(message, "product"), _texts(message.get("tables"), "tables")
            # Names come from the manifest again: it may have changed while the message waited.
            kept = {key for key in tables if key in manifest.tables and manifest.tables[key].product == product}
            return [TagWork(product, frozenset(kept))] if kept else Drop.STALE
        case "watch":
            return [WatchWork()]
        case other:
            raise PoisonError(
                f"action {other!r} is none of table, refresh, tag, watch, and it is no event of EventBridge"
            )


def _event(event: Mapping[str, Any], manifest: Manifest) -> Sequence[Work] | Drop:
    if event.get("source") != GLUE:
        return Drop.FORGED
    account, detail = event.get("account"), event.get("detail")
    producers = {name for name, producer in manifest.producers.items() if producer.account == account}
    if not producers:
        return Drop.FOREIGN
    resources = event.get("resources") or []
    if not isinstance(resources, list):
        raise PoisonError("resources: expected a list")
    if any(_account(arn) not in {account, ""} for arn in resources):
        return Drop.FORGED
    if event["detail-type"] not in (DATABASE_CHANGE, TABLE_CHANGE):
        return Drop.UNKNOWN
    if not isinstance(detail, dict):
        raise PoisonError("an event of Glue without a detail")
    database = _text(detail, "databaseName").lower()
    sources = [
        source for source in manifest.sources.values() if source.database == database and source.producer in producers
    ]
    if not sources:
        return Drop.UNLISTED
    return [work for source in sources for work in _changes(event["detail-type"], detail, source)]


def _changes(kind: str, detail: Mapping[str, Any], source: Source) -> list[Work]:
    if kind == DATABASE_CHANGE:
        # Creation and deletion of a *table* arrive as changes of its database.
        tables = _texts(detail.get("changedTables") or [], "changedTables")
        if not tables:
            return [RefreshWork(source.twin)]
        return [TableWork(source.twin, table.lower()) for table in tables]
    table = _text(detail, "tableName").lower()
    partitions = detail.get("changedPartitions") or []
    readable = isinstance(partitions, list) and all(isinstance(one, str) and one for one in partitions)
    named = frozenset(partitions) if readable and partitions else None
    return [TableWork(source.twin, table, named if "Partition" in str(detail.get("typeOfChange")) else None)]


def partition_values(text: str, keys: int) -> Values | None:
    """Values of a partition as an event spells it, for a table with `keys` partition keys; None: it cannot be told.

    Seen are `[1, 2021-05-23 00:00:00, 7]`, `2018,01` and a bare `2024-10-27`. A value may hold commas itself, so only a
    spelling with exactly as many parts as there are keys counts.
    """
    bracketed = text.startswith("[") and text.endswith("]")
    parts = text[1:-1].split(", ") if bracketed else text.split(",")
    return tuple(parts) if len(parts) == keys and all(parts) else None


def _account(arn: Any) -> str:
    parts = str(arn).split(":")
    return parts[4] if len(parts) > 5 else "?"


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise PoisonError(f"{key}: expected a text that is not empty, got {type(value).__name__}")
    return value


def _place(body: Mapping[str, Any]) -> str | None:
    if "checkpoint" not in body:
        return None
    try:
        return checkpoint.parse(_text(body, "checkpoint")).body()
    except EventError as error:
        raise PoisonError(str(error)) from error


def _texts(value: Any, key: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise PoisonError(f"{key}: expected a list of texts")
    return value


def _number(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise PoisonError(f"{key}: expected a number")
    return value
