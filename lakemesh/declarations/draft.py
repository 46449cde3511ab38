"""What could be read of a mesh, with or without mistakes: what the checks look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lakemesh.declarations.files import Files
from lakemesh.declarations.models import (
    UNREVIEWED,
    Consumer,
    Declarations,
    Exceptions,
    Grant,
    Grants,
    Mesh,
    PolicyException,
    Product,
    Sensitivity,
    Source,
    TagKey,
)
from lakemesh.declarations.places import Places
from lakemesh.declarations.recommendations import Recommendations
from lakemesh.declarations.validation import Read
from lakemesh.declarations.yamlfile import Path


@dataclass(frozen=True)
class Names:
    """Names that a file declares. Where the file could not be read every name may be one of them."""

    names: frozenset[str] = frozenset()
    complete: bool = True

    def __contains__(self, name: str) -> bool:
        return not self.complete or name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.names))

    def unknown_of(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are not declared, sorted."""
        return sorted(name for name in names if name not in self)


@dataclass(frozen=True)
class Known:
    """Names that are declared, even where the declaration itself has a mistake: a reference to them is not at fault."""

    producers: Names
    domains: Names
    consumers: Names
    tags: Names
    products: Mapping[str, frozenset[str]]
    """Domains (folders) of each contract file: one, unless two contracts have one name."""
    principals: Mapping[str, Names]
    grants: Names
    grant_files: frozenset[str]
    consumer_files: frozenset[str]

    @staticmethod
    def of(places: Places, files: Files) -> Known:
        mesh = places.mesh_file
        ids = [_ids(places, file.shown) for file in files.grants]
        return Known(
            producers=_keys(places, mesh, "producers"),
            domains=_keys(places, mesh, "domains"),
            consumers=_keys(places, mesh, "consumers"),
            tags=_keys(places, places.tags_file, "tags"),
            products=files.folders,
            principals={file.name: _keys(places, file.shown, "principals") for file in files.consumers},
            grants=Names(
                frozenset(name for found in ids for name in found.names), all(found.complete for found in ids)
            ),
            grant_files=frozenset(file.name for file in files.grants),
            consumer_files=frozenset(file.name for file in files.consumers),
        )

    def products_of(self, domain: str) -> list[str]:
        """Products of a domain, sorted."""
        return sorted(product for product, folders in self.products.items() if domain in folders)


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
    replaced: frozenset[str] = frozenset()
    """Top-level keys of mesh.yaml that have a mistake: what is read in their place is nobody's word."""
    exceptions: Read[Exceptions] = field(default_factory=lambda: Read(Exceptions()))
    recommendations: Mapping[str, Read[Recommendations]] = field(default_factory=dict)
    """By domain."""

    def all_grants(self) -> Iterator[tuple[str, Path, Grant]]:
        """Every grant with its domain and its path in that domain's file."""
        for domain, read in self.grants.items():
            for position, grant in enumerate(read.value.grants if read.value else ()):
                yield domain, ("grants", read.index(("grants",), position)), grant

    def all_exceptions(self) -> Iterator[tuple[Path, PolicyException]]:
        """Every exception with its path in the file."""
        read = self.exceptions
        for position, exception in enumerate(read.value.exceptions if read.value else ()):
            yield ("exceptions", read.index(("exceptions",), position)), exception

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
            exceptions=self.exceptions.value.exceptions if self.exceptions.value else (),
            rejected=tuple(sorted(self._rejected())),
        )

    def _rejected(self) -> Iterator[str]:
        for read in self.recommendations.values():
            for (_product, table, column), entry in read.value.each() if read.value is not None else ():
                if entry.rejected:
                    yield f"{table}.{column}"


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


def _keys(places: Places, file: str, key: str) -> Names:
    """Keys of the mapping `key` at the top of a file. A file that is not there declares nothing.

    Without a readable mesh.yaml, which must be there, there is nothing to measure names by.
    """
    document = places.documents.get(file)
    if file == places.mesh_file and (document is None or not isinstance(document.value, dict)):
        return Names(complete=False)
    if document is None or document.root is None:
        return Names(complete=document is None or not document.failed)
    value = document.value
    entries = value.get(key, {}) if isinstance(value, dict) else None
    return Names(frozenset(entries)) if isinstance(entries, dict) else Names(complete=False)


def _ids(places: Places, file: str) -> Names:
    document = places.documents.get(file)
    if document is None or document.root is None:
        return Names(complete=document is None or not document.failed)
    value = document.value
    entries = value.get("grants", []) if isinstance(value, dict) else None
    if not isinstance(entries, list):
        return Names(complete=False)
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    return Names(frozenset(str(name) for name in ids), complete=len(ids) == len(entries) and None not in ids)
