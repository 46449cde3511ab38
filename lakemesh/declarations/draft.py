"""What could be read of a mesh, with or without mistakes: what the checks look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lakemesh.declarations.files import Files
from lakemesh.declarations.models import (
    UNREVIEWED,
    Consumer,
    Declarations,
    Grant,
    Grants,
    Mesh,
    Product,
    Sensitivity,
    Source,
    TagKey,
)
from lakemesh.declarations.places import Places
from lakemesh.declarations.validation import Read
from lakemesh.declarations.yamlfile import Path


@dataclass(frozen=True)
class Known:
    """Names that are declared, even where the declaration itself has a mistake: a reference to them is not at fault."""

    producers: frozenset[str]
    domains: frozenset[str]
    consumers: frozenset[str]
    tags: frozenset[str]
    products: Mapping[str, str]
    """Domain (folder) of each contract file."""
    principals: Mapping[str, frozenset[str]]
    grants: Mapping[str, str]
    """Domain of each grant id."""
    grant_files: frozenset[str]
    consumer_files: frozenset[str]

    @staticmethod
    def of(places: Places, files: Files) -> Known:
        mesh = places.mesh_file
        return Known(
            producers=_keys(places, mesh, "producers"),
            domains=_keys(places, mesh, "domains"),
            consumers=_keys(places, mesh, "consumers"),
            tags=_keys(places, places.tags_file, "tags"),
            products={file.name: file.folder for file in files.products},
            principals={file.name: _keys(places, file.shown, "principals") for file in files.consumers},
            grants={grant: file.name for file in files.grants for grant in _ids(places, file.shown)},
            grant_files=frozenset(file.name for file in files.grants),
            consumer_files=frozenset(file.name for file in files.consumers),
        )


@dataclass(frozen=True)
class Draft:
    mesh: Mesh | None
    tags: Mapping[str, TagKey]
    """The mesh's own keys."""
    products: Mapping[str, Product]
    grants: Mapping[str, Read[Grants]]
    consumers: Mapping[str, Read[Consumer]]
    places: Places
    known: Known
    tagged: tuple[tuple[str, Path, Mapping[str, str]], ...] = ()
    """LF-Tags as contracts set them: file, path and tags of each custom property `lfTags`."""

    def all_grants(self) -> Iterator[tuple[str, Path, Grant]]:
        """Every grant with its domain and its path in that domain's file."""
        for domain, read in self.grants.items():
            for position, grant in enumerate(read.value.grants if read.value else ()):
                yield domain, ("grants", read.index(("grants",), position)), grant

    def sources(self) -> Iterator[tuple[str, int, Source]]:
        """Every source with its domain and its position there."""
        if self.mesh is not None:
            for domain, entry in self.mesh.domains.items():
                for position, source in enumerate(entry.sources):
                    yield domain, position, source

    def declarations(self) -> Declarations | None:
        """The declarations, or None where not everything was read."""
        if self.mesh is None:
            return None
        consumers = {name: read.value for name, read in self.consumers.items() if read.value is not None}
        return Declarations(
            mesh=self.mesh,
            tags=ontology(self.tags, self.mesh.domains, self.products),
            products=dict(self.products),
            grants={domain: read.value.grants for domain, read in self.grants.items() if read.value is not None},
            consumers=consumers,
        )


def ontology(
    own: Mapping[str, TagKey], domains: Mapping[str, object], products: Mapping[str, object]
) -> dict[str, TagKey]:
    """The whole ontology: the three built-in keys, filled from the declarations, and the mesh's own.

    `domain` and `product` need no key while the mesh has none of them: Lake Formation has no LF-Tag without a value.
    """
    built_in = {
        "domain": TagKey(description="Domain that owns the database.", values=tuple(sorted(domains)))
        if domains
        else None,
        "product": TagKey(description="Data product of the table.", values=tuple(sorted(products)))
        if products
        else None,
        "sensitivity": TagKey(
            description="How far a column may travel.", values=(*(value.value for value in Sensitivity), UNREVIEWED)
        ),
    }
    return {key: tag for key, tag in built_in.items() if tag is not None} | dict(own)


def _keys(places: Places, file: str, key: str) -> frozenset[str]:
    document = places.documents.get(file)
    value = document.value if document is not None else None
    entries = value.get(key) if isinstance(value, dict) else None
    return frozenset(entries) if isinstance(entries, dict) else frozenset()


def _ids(places: Places, file: str) -> Iterator[str]:
    document = places.documents.get(file)
    value = document.value if document is not None else None
    entries = value.get("grants") if isinstance(value, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            yield str(entry["id"])
