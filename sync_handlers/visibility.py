"""Whether the reader of a source would have seen a table that it does not see.

Lake Formation hides what it does not grant. So a table that is not seen counts as deleted only when the same run proves
that the reader may see every table of the database, by one of two ways:

* it holds DESCRIBE (or ALL) on ALL_TABLES of the database: Lake Formation says so itself, asked as the reader;
* the database gives its tables to IAM_ALLOWED_PRINCIPALS by default, so IAM decides, and Glue answers a question for
  this table by name with "not found". For one that is there and hidden it answers "access denied": Lake Formation looks
  at permissions before Glue looks for the table.

Anything else, an error among them, is no proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Any, Protocol

from sync_handlers.glue_access import DeniedError, GlueValue, MissingError, Reader

EVERYBODY = "IAM_ALLOWED_PRINCIPALS"
_SHOWS = frozenset({"ALL", "SUPER", "DESCRIBE"})


@unique
class Proof(StrEnum):
    """What lets the reader see every table."""

    ALL_TABLES = "DESCRIBE on ALL_TABLES"
    IAM = EVERYBODY


class Permissions(Protocol):
    """Permissions on all tables of the source database that the reader holds."""

    def on_all_tables(self) -> frozenset[str]: ...


@dataclass(frozen=True)
class Sighting:
    """What the reader found when it looked for one table."""

    table: GlueValue | None
    absent: bool
    """Whether it is proven that there is none."""
    why: str
    """What proves it, or why nothing does."""


UNKNOWN = Sighting(None, absent=False, why="nobody looked")


@dataclass
class Sight:
    """One source's reader, asked about tables that it does not see."""

    source: Reader
    permissions: Callable[[], Permissions] | None = None
    """None: Lake Formation cannot be asked."""
    _proof: tuple[Proof | None, str] | None = None

    def look(self, name: str) -> Sighting:
        """Look for a table by name. Raises DeniedError where Glue refuses and nothing proves that it is gone, and what
        Glue answers beside that."""
        try:
            return Sighting(self.source.table(name), absent=False, why="it is there")
        except MissingError:
            proof, why = self.proof()
            return Sighting(None, absent=proof is not None, why=why)
        except DeniedError:
            if not self.unlisted(name):
                raise
            return Sighting(None, absent=True, why=self.proof()[1])

    def unlisted(self, name: str) -> bool:
        """Whether one who sees all tables does not see this one, which Glue refused by name.

        Without CREATE_TABLE on the database Lake Formation refuses a table that is not there as it does one that is
        hidden; then the listing tells.
        """
        proof, _ = self.proof()
        return proof is Proof.ALL_TABLES and name not in {table["Name"] for table in self.source.tables()}

    def proof(self) -> tuple[Proof | None, str]:
        """What proves that the reader sees every table, asked once a run; None with the reason."""
        if self._proof is None:
            self._proof = self._ask()
        return self._proof

    def _ask(self) -> tuple[Proof | None, str]:
        if by_default(self.source.database()):
            return Proof.IAM, f"its database gives every table to {EVERYBODY}, and Glue knows none of this name"
        if self.permissions is None:
            return None, "Lake Formation could not be asked what the reader sees"
        try:
            held = self.permissions().on_all_tables()
        except DeniedError as error:
            return None, f"the reader role may not ask Lake Formation what it sees ({error})"
        if held & _SHOWS:
            return Proof.ALL_TABLES, f"the reader holds {Proof.ALL_TABLES} of its database"
        return None, f"the reader holds no {Proof.ALL_TABLES} of its database: the table may be hidden"


def by_default(database: Mapping[str, Any]) -> bool:
    """Whether a database gives new tables to everybody whom IAM lets in (Lake Formation developer guide,
    "change-settings")."""
    defaults: Iterable[Mapping[str, Any]] = database.get("CreateTableDefaultPermissions") or ()
    return any(
        (entry.get("Principal") or {}).get("DataLakePrincipalIdentifier") == EVERYBODY
        and "ALL" in (entry.get("Permissions") or ())
        for entry in defaults
    )
