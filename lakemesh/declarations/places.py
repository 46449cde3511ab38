"""Where everything that was declared stands, so that a check of any module can point at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lakemesh.declarations.errors import Problem, path_text
from lakemesh.declarations.yamlfile import Document, Path


@dataclass(frozen=True)
class Place:
    file: str
    line: int
    column: int


@dataclass(frozen=True)
class Places:
    """Files by the name people see (`mesh/grants/ar.yaml`), and the places of what is found in them."""

    root: str = "mesh"
    """Name of the mesh directory."""
    documents: Mapping[str, Document] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
    """File of each product's contract."""
    parts: Mapping[tuple[str, ...], Path] = field(default_factory=dict)
    """Path inside the contract of (product, "twin.table") and of (product, "twin.table", column)."""
    grants: Mapping[tuple[str, str], Path] = field(default_factory=dict)
    """Path inside grants/<domain>.yaml of (domain, grant id)."""

    def of(self, file: str, *path: str | int) -> Place:
        """Place of the key or list item at `path`; of what is nearest around it where it is not written out."""
        document = self.documents.get(file)
        return Place(file, *(document.place(path) if document else (1, 1)))

    def problem(self, rule: str, message: str, file: str, *path: str | int) -> Problem:
        place = self.of(file, *path)
        return Problem(file, place.line, place.column, path_text(path), message, rule)

    # ------------------------------------------------------------------------------------------------- files
    @property
    def mesh_file(self) -> str:
        return f"{self.root}/mesh.yaml"

    @property
    def tags_file(self) -> str:
        return f"{self.root}/tags.yaml"

    @property
    def exceptions_file(self) -> str:
        return f"{self.root}/exceptions.yaml"

    def grant_file(self, domain: str) -> str:
        return f"{self.root}/grants/{domain}.yaml"

    def consumer_file(self, consumer: str) -> str:
        return f"{self.root}/consumers/{consumer}.yaml"

    def product_file(self, product: str) -> str:
        return self.products.get(product, f"{self.root}/products")

    # ------------------------------------------------------------------------------------ things inside a file
    def in_grant(self, rule: str, message: str, domain: str, grant: str, *path: str | int) -> Problem:
        """A problem of a grant; `path` is inside the grant, e.g. "sensitivity"."""
        return self.problem(rule, message, self.grant_file(domain), *self.grants.get((domain, grant), ()), *path)

    def in_table(self, rule: str, message: str, product: str, table: str, *path: str | int) -> Problem:
        """A problem of a table (`twin.table`) of a contract."""
        return self.problem(rule, message, self.product_file(product), *self.parts.get((product, table), ()), *path)

    def in_column(self, rule: str, message: str, product: str, table: str, column: str, *path: str | int) -> Problem:
        """A problem of a column of a contract; `path` is inside the column, e.g. "classification"."""
        where = self.parts.get((product, table, column), ())
        return self.problem(rule, message, self.product_file(product), *where, *path)
