"""How values are taken out of a contract, whatever section they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from open_data_contract_standard import model as standard

from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import Product
from lakemesh.declarations.places import Places
from lakemesh.declarations.yamlfile import Document, Path, Value

CUSTOM_PROPERTIES: Final = ("server", "lfTags", "personalData", "deprecatedSince", "discoverableBy")
_MEANT: Final = {name.lower(): name for name in CUSTOM_PROPERTIES}

Mapped = dict[str, Value]
Custom = Mapping[str, tuple[Value, Path]]


def _keys_of(model: Any) -> frozenset[str]:
    return frozenset(item.alias or name for name, item in model.model_fields.items())


CONTRACT_KEYS: Final = _keys_of(standard.OpenDataContractStandard)
OBJECT_KEYS: Final = _keys_of(standard.SchemaObject)
PROPERTY_KEYS: Final = _keys_of(standard.SchemaProperty)


@dataclass
class Contract:
    """What one contract file yields: the product, if it could be built, and the places of its tables and columns."""

    product: Product | None = None
    problems: list[Problem] = field(default_factory=list)
    parts: dict[tuple[str, ...], Path] = field(default_factory=dict)
    tagged: list[tuple[Path, dict[str, str]]] = field(default_factory=list)
    """Path and content of every `lfTags` it sets."""


class Pieces:
    """One contract file, and what it has yielded so far."""

    def __init__(self, document: Document, file: str, places: Places) -> None:
        self.document = document
        self.file = file
        self.places = places
        self.result = Contract()

    def entries(self, value: Mapped, key: str, path: Path) -> Iterator[tuple[Path, Mapped]]:
        entries = value.get(key)
        if entries is None:
            return
        if not isinstance(entries, list):
            self.add("wrong-type", "Expected a list.", *path, key)
            return
        for index, entry in enumerate(entries):
            place = (*path, key, index)
            if isinstance(entry, dict):
                yield place, entry
            else:
                self.add("wrong-type", "Expected keys and values (a mapping).", *place)

    def custom(self, value: Mapped, path: Path) -> dict[str, tuple[Value, Path]]:
        """Custom properties by name, each with the path of its value."""
        if "customProperties" not in value:
            return {}
        found: dict[str, tuple[Value, Path]] = {}
        for place, entry in self.entries(value, "customProperties", path):
            name = entry.get("property")
            if not isinstance(name, str):
                continue
            meant = _MEANT.get(name.lower().replace("_", "").replace("-", ""))
            if meant is not None and meant != name:
                self.add("custom-property", f'"{name}" is not read. Did you mean "{meant}"?', *place, "property")
            if name in found and name in CUSTOM_PROPERTIES:
                self.add("custom-property", f'The custom property "{name}" stands here twice.', *place, "property")
            found[name] = (entry.get("value"), (*place, "value"))
        return found

    def tags(self, custom: Mapping[str, tuple[Value, Path]]) -> dict[str, str]:
        value, path = custom.get("lfTags", (None, ()))
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.add("wrong-type", "Expected LF-Tags as keys and values, such as {layer: curated}.", *path)
            return {}
        tags = {key: text for key in value if (text := self.text(value, key, path))}
        self.result.tagged.append((path, tags))
        return tags

    def text(self, value: Mapped, key: str, path: Path) -> str:
        """Text at `key`, or "": numbers as they are written; words that YAML takes for booleans are refused."""
        given = value.get(key)
        if isinstance(given, str):
            return given
        if given is None:
            return ""
        scalar = self.document.scalar((*path, key))
        if scalar is None:
            self.add("wrong-type", "Expected text.", *path, key)
            return ""
        if isinstance(given, bool):
            text = (
                f'YAML reads {scalar.value} without quotes as {str(given).lower()}; write "{scalar.value}" in quotes.'
            )
            self.add("unquoted-text", text, *path, key)
            return ""
        return str(scalar.value)

    def loose(self, value: Mapped, key: str) -> str:
        """Text that people read and nothing depends on."""
        given = value.get(key)
        return given if isinstance(given, str) else "" if given is None else str(given)

    def unknown(self, value: Mapped, known: frozenset[str], path: Path) -> None:
        for key in value:
            if key not in known:
                mend = "What is your own belongs under customProperties."
                text = f'The standard has no key "{key}" here.{close(key, known)}\n{mend}'
                self.add("unknown-key", text, *path, key)

    def add(self, rule: str, message: str, *path: str | int) -> None:
        self.result.problems.append(self.places.problem(rule, message, self.file, *path))


def close(given: str, names: Iterable[str]) -> str:
    """` Did you mean "x"?`, or nothing: where the known names have been listed already."""
    hint = did_you_mean(given, names)
    return hint if "Did you mean" in hint else ""
