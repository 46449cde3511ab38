"""Canonical forms of tables and partitions: what is written to the twin, and what two of them are compared by. Pure.

Two forms, from one reading of the SDK's own model:

* the *input* is what is written: the members of `TableInput`/`PartitionInput` and no other, because what Get returns
  also holds what Glue alone may set, and a later SDK may add more;
* the *comparable* is the input without what has no meaning: null, empty, zero and missing are one, key order does not
  matter.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StructureShape

MARK = "lakemesh."
"""Prefix of the parameters that the sync sets on a twin; they are no part of the comparison."""

# Written by engines and crawlers at every run; each is a figure or a time, none says how to read the table.
VOLATILE = frozenset(
    {
        "transient_lastDdlTime",
        "last_modified_by",
        "last_modified_time",
        "numFiles",
        "numFilesErasureCoded",
        "numRows",
        "numPartitions",
        "rawDataSize",
        "totalSize",
        "COLUMN_STATS_ACCURATE",
        "STATS_GENERATED",
        "STATS_GENERATED_VIA_STATS_TASK",
        "DO_NOT_UPDATE_STATS",
        "averageRecordSize",
        "objectCount",
        "recordCount",
        "sizeKey",
        "UPDATED_BY_CRAWLER",
        "CRAWL_RUN_ID",
        "CRAWL_TIMESTAMP",
        "LAST_UPDATED_BY_CRAWLER",
    }
)
VOLATILE_PREFIXES = (MARK, "spark.sql.statistics.")
# Set by Glue and engines when data is read or analysed.
VOLATILE_MEMBERS = frozenset({"LastAccessTime", "LastAnalyzedTime"})


@functools.cache
def _shape(name: str) -> StructureShape:
    shape = botocore.session.get_session().get_service_model("glue").shape_for(name)
    assert isinstance(shape, StructureShape)  # noqa: S101 -- both are structures in every version of the model
    return shape


def table_input(table: Mapping[str, Any]) -> dict[str, Any]:
    """The `TableInput` that reproduces a Glue `Table`, without volatile parts and without the sync's own marks."""
    return _input(_shape("TableInput"), table)


def partition_input(partition: Mapping[str, Any]) -> dict[str, Any]:
    """The `PartitionInput` that reproduces a Glue `Partition`, without volatile parts."""
    return _input(_shape("PartitionInput"), partition)


def _input(shape: StructureShape, value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: member for name, member in value.items() if name not in VOLATILE_MEMBERS}
    copied: dict[str, Any] = _members(shape, kept)
    if "Parameters" in copied:
        copied["Parameters"] = _steady(copied["Parameters"])
    # Crawlers leave their figures in the storage descriptor as well.
    descriptor = copied.get("StorageDescriptor")
    if descriptor and "Parameters" in descriptor:
        descriptor["Parameters"] = _steady(descriptor["Parameters"])
    # A schema registry belongs to the producer's account; Glue has resolved it into the columns already.
    if descriptor:
        descriptor.pop("SchemaReference", None)
    return copied


def _steady(parameters: Mapping[str, str]) -> dict[str, str]:
    return {
        key: text for key, text in parameters.items() if key not in VOLATILE and not key.startswith(VOLATILE_PREFIXES)
    }


def _members(shape: Shape, value: Any) -> Any:
    """A deep copy of `value` with only what the model knows; nulls left out."""
    if isinstance(shape, StructureShape):
        return {
            name: _members(shape.members[name], member)
            for name, member in value.items()
            if name in shape.members and member is not None
        }
    if isinstance(shape, ListShape):
        return [_members(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: text for key, text in value.items() if text is not None}
    return value


def comparable(value: Any) -> Any:
    """`value` without null, empty, false and zero, at any depth below its top.

    Glue answers absent flags and counts as false and 0 (`Compressed`, `Retention`, `NumberOfBuckets`) and absent lists
    as empty ones, so those cannot tell two tables apart. Items of lists stay where they are: the order of columns has
    meaning.
    """
    if isinstance(value, Mapping):
        pruned = {key: comparable(member) for key, member in value.items()}
        return {key: member for key, member in sorted(pruned.items()) if member}
    if isinstance(value, list | tuple):
        return [comparable(item) for item in value]
    return value


def digest(value: Any) -> str:
    """A digest of the comparable form: equal exactly when two inputs mean the same."""
    text = json.dumps(comparable(value), sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def table_digest(table: Mapping[str, Any]) -> str:
    return digest(table_input(table))


def partition_digest(partition: Mapping[str, Any]) -> str:
    """Of the comparable form, as `digest`, but what partitions of a table mostly have in common, columns, formats and
    SerDe, is made comparable once and not for each of a million partitions."""
    descriptor = partition.get("StorageDescriptor") or {}
    common = {name: value for name, value in descriptor.items() if name not in _OWN}
    own = {**partition, "StorageDescriptor": {name: value for name, value in descriptor.items() if name in _OWN}}
    return digest([partition_input(own), _common_digest(json.dumps(common, sort_keys=True, default=str))])


_OWN = frozenset({"Location", "Parameters"})
"""Members of a storage descriptor that partitions have each for themselves."""


@functools.lru_cache(maxsize=16)
def _common_digest(descriptor: str) -> str:
    return digest(partition_input({"StorageDescriptor": json.loads(descriptor)}))


class SetDigest:
    """Digest of a set of partitions in any order and constant memory: the sum of their digests.

    It answers "do both sides hold the same partitions", for partitions that the sync itself wrote; it is no defence
    against someone who forges partitions to collide.
    """

    _MODULUS = 1 << 256

    def __init__(self) -> None:
        self._sum = 0
        self.count = 0

    def add(self, values: tuple[str, ...], partition: str) -> None:
        text = json.dumps([values, partition], ensure_ascii=False).encode("utf-8", "surrogatepass")
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(text).digest())) % self._MODULUS
        self.count += 1

    def hexdigest(self) -> str:
        return f"{self.count}:{self._sum:064x}"

    @classmethod
    def parse(cls, text: str) -> SetDigest:
        """One to add to, from what `hexdigest` said. Raises ValueError."""
        found = cls()
        count, _, total = text.partition(":")
        found.count, found._sum = int(count), int(total, 16)
        return found
