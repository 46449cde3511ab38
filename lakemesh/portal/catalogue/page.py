"""The page of one product: its schema, what a principal could read of it today, why not the rest, and who else can."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lakemesh.access.explain import ColumnAnswer, Verdict, explain
from lakemesh.access.holders import Access
from lakemesh.access.subject import Subject, subject
from lakemesh.declarations.models import Product, Table
from lakemesh.declarations.naming import Naming
from lakemesh.declarations.places import Places


@dataclass(frozen=True)
class ColumnRow:
    """One column, as the principal that is looked through finds it."""

    name: str
    type: str
    description: str
    sensitivity: str
    personal_data: str | None
    partition_key: bool
    verdict: Verdict | None
    """None: nobody is looked through."""
    why: str = ""
    """What is missing first, where it cannot be read."""


@dataclass(frozen=True)
class TablePage:
    """One table of the product."""

    key: str
    kind: str
    description: str
    columns: tuple[ColumnRow, ...]
    samples: Mapping[str, str]
    """A query by engine, over what the principal can read; empty where it can read nothing."""


@dataclass(frozen=True)
class Reader:
    """Somebody who can read something of the product."""

    name: str
    columns: int
    grants: tuple[str, ...]
    """Ids of the grants behind it."""


@dataclass(frozen=True)
class ProductPage:
    """Everything that a page about a product says."""

    product: Product
    owner: str
    approvers: tuple[str, ...]
    contract: str
    """File of the contract."""
    tables: tuple[TablePage, ...]
    readers: tuple[Reader, ...]


def product_page(access: Access, places: Places, product: Product, principal: str | None) -> ProductPage:
    """The page as one principal (`consumer/alias`) would find it; None: without anybody's verdicts.

    Whether the person who looks may see the product at all, and look through that principal, is asked before.
    Raises UnknownError for a principal that the mesh does not have.
    """
    who = subject(access, principal) if principal is not None else None
    domain = access.declarations.mesh.domains[product.domain]
    return ProductPage(
        product=product,
        owner=domain.owner,
        approvers=domain.approvers,
        contract=places.product_file(product.name),
        tables=tuple(_table(access, places, table, who) for table in product.tables),
        readers=tuple(_readers(access, product)),
    )


def _table(access: Access, places: Places, table: Table, who: Subject | None) -> TablePage:
    answers = {
        column.name: explain(access, places, who, (table.twin, table.name), column.name) if who else None
        for column in table.columns
    }
    readable = [name for name, answer in answers.items() if answer is not None and answer.verdict is Verdict.READ]
    return TablePage(
        key=table.key,
        kind=table.kind,
        description=table.description,
        columns=tuple(
            ColumnRow(
                name=column.name,
                type=column.type,
                description=column.description,
                sensitivity=str(column.sensitivity) if column.sensitivity else "unreviewed",
                personal_data=column.personal_data,
                partition_key=column.partition_key is not None,
                verdict=_verdict(answers[column.name]),
                why=_why(answers[column.name]),
            )
            for column in table.columns
        ),
        samples=samples(access, table, who, readable) if who and readable else {},
    )


def _verdict(answer: ColumnAnswer | None) -> Verdict | None:
    return answer.verdict if answer is not None else None


def _why(answer: ColumnAnswer | None) -> str:
    return answer.missing.says if answer is not None and answer.missing is not None else ""


def _readers(access: Access, product: Product) -> Iterator[Reader]:
    """Principals that can read anything of the product, with how many of its columns and by which grants."""
    counts: dict[str, int] = {}
    grants: dict[str, set[str]] = {}
    for table in product.tables:
        key = (table.twin, table.name)
        for holder, columns in access.readers.get(key, ()):
            counts[holder.name] = counts.get(holder.name, 0) + len(columns)
            grants.setdefault(holder.name, set()).update(access.grants_behind(holder.id, key, columns, "SELECT"))
    for name in sorted(counts):
        yield Reader(name, counts[name], tuple(sorted(grants[name])))


MOST_SAMPLE_COLUMNS: Final = 8


def samples(access: Access, table: Table, who: Subject, readable: list[str]) -> dict[str, str]:
    """A query for each engine, through the resource link of the principal's own account, of columns it can read."""
    few = readable[:MOST_SAMPLE_COLUMNS]
    athena = _query(table, few, _quoted) + ";"
    workgroup = Naming(access.declarations.mesh).workgroup(who.consumer, who.alias)
    return {
        "Athena": f"-- in workgroup {workgroup}\n{athena}",
        "Redshift Spectrum": f"-- {_quoted(table.twin)}: an external schema on the link of that name\n{athena}",
        "EMR and Glue (Spark)": _query(table, few, _ticked),
    }


def _query(table: Table, columns: list[str], quoted: Callable[[str], str]) -> str:
    names = ", ".join(map(quoted, columns))
    return f"SELECT {names}\nFROM {quoted(table.twin)}.{quoted(table.name)}\nLIMIT 10"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
