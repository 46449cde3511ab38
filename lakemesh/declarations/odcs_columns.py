"""The columns of one table of a contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lakemesh.declarations.models import UNREVIEWED, Column, Sensitivity
from lakemesh.declarations.odcs_pieces import PROPERTY_KEYS, Mapped, Pieces, close
from lakemesh.declarations.yamlfile import Path, Value

MAX_COLUMN_NAME: Final = 255
"""Glue API, "Column", Name."""


class Columns:
    """Reads columns; needs nothing of the mesh."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces

    def of(self, table: Mapped, path: Path) -> Iterator[tuple[Path, Column]]:
        """Each column of the table at `path`, with its own path."""
        names: set[str] = set()
        position = 0
        for place, entry in self._pieces.entries(table, "properties", path):
            self._pieces.unknown(entry, PROPERTY_KEYS, place)
            if entry.get("semanticType") == "measure":
                continue  # computed by whoever queries (ODCS 3.2, `semanticType`): no column of the table
            # Glue's engines fold the case of column names; a contract may write them as people do.
            name = (self._pieces.text(entry, "physicalName", place) or self._pieces.text(entry, "name", place)).lower()
            if not name:
                self._pieces.add("missing-key", '"name" is missing: every column needs one.', *place)
                continue
            if len(name) > MAX_COLUMN_NAME or not name.isprintable():
                text = f"A column's name is at most {MAX_COLUMN_NAME} printable characters.\nGive it as `physicalName`."
                self._pieces.add("wrong-value", text, *place)
                continue
            if name in names:
                self._pieces.add("duplicate-column", f'Column "{name}" stands in this table twice.', *place)
                continue
            names.add(name)
            if entry.get("partitioned") is True:
                position += 1
            yield place, self._column(entry, name, place, position)

    def _column(self, entry: Mapped, name: str, path: Path, position: int) -> Column:
        custom = self._pieces.custom(entry, path)
        sensitivity = self._classification(entry, path)
        self._nested(entry, name, sensitivity, path)
        personal = custom.get("personalData")
        return Column(
            name=name,
            type=self._pieces.loose(entry, "physicalType") or self._pieces.loose(entry, "logicalType"),
            sensitivity=sensitivity,
            personal_data=self._personal(personal),
            partition_key=self._partition(entry, path, position),
            description=self._pieces.loose(entry, "description"),
            tags=self._pieces.tags(custom),
        )

    def _personal(self, given: tuple[Value, Path] | None) -> str | None:
        if given is None or given[0] is None:
            return None
        value, path = given
        if not isinstance(value, str):
            self._pieces.add("wrong-type", "Expected the kind of personal data as text, such as email.", *path)
            return None
        return value

    def _classification(self, entry: Mapped, path: Path) -> Sensitivity | None:
        given = self._pieces.text(entry, "classification", path)
        if not given or given == UNREVIEWED:
            return None
        try:
            return Sensitivity(given)
        except ValueError:
            names = [*(sensitivity.value for sensitivity in Sensitivity), UNREVIEWED]
            text = f'"{given}" is not a sensitivity of this mesh: {", ".join(names)}.{close(given, names)}'
            self._pieces.add("wrong-value", text, *path, "classification")
            return None

    def _nested(self, entry: Mapped, name: str, sensitivity: Sensitivity | None, path: Path) -> None:
        """A nested column is tagged as a whole, so no field in it may be more sensitive than the column."""
        if sensitivity is None:
            return
        for place, inner in _inner(entry, path):
            given = inner.get("classification")
            if given is None:
                continue
            found = self._classification(inner, place)
            if found is not None and found.rank > sensitivity.rank:
                text = (
                    f'This field is {found}, but its column "{name}" is {sensitivity}: Lake Formation decides on '
                    "columns "
                    f"as a whole.\nClassify the column {found}."
                )
                self._pieces.add("nested-sensitivity", text, *place, "classification")

    def _partition(self, entry: Mapped, path: Path, position: int) -> int | None:
        given = entry.get("partitionKeyPosition")
        stated = given if isinstance(given, int) and not isinstance(given, bool) and given != -1 else None
        if given is not None and stated is None and given != -1:
            self._pieces.add("wrong-type", "Expected a whole number from 1.", *path, "partitionKeyPosition")
        if entry.get("partitioned") is not True:
            if stated is not None:
                text = "The column has a position among the partition keys, but `partitioned` is not true."
                self._pieces.add("partition-position", text, *path, "partitionKeyPosition")
            return None
        return position if stated is None else stated


def _inner(entry: Mapped, path: Path) -> Iterator[tuple[Path, Mapped]]:
    """Every field inside a nested column, at any depth; the reader limits the depth."""
    children: list[tuple[Path, Value]] = []
    properties = entry.get("properties")
    if isinstance(properties, list):
        children += [((*path, "properties", index), child) for index, child in enumerate(properties)]
    children.append(((*path, "items"), entry.get("items")))
    mapped = entry.get("map")
    if isinstance(mapped, dict):
        children += [((*path, "map", side), mapped.get(side)) for side in ("key", "value")]
    for place, child in children:
        if isinstance(child, dict):
            yield place, child
            yield from _inner(child, place)
