"""`lakemesh search` and `lakemesh show`: find data products, and what one of them holds, from a terminal."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lakemesh.declarations.models import Sensitivity, Status

if TYPE_CHECKING:
    from lakemesh.portal.catalogue.browse import Result, Results
    from lakemesh.portal.catalogue.page import ProductPage
    from lakemesh.portal.requests.model import Person
    from lakemesh.portal.workspace import MeshNow

Mesh = Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")]
Me = Annotated[
    str,
    typer.Option(
        "--me", envvar="LAKEMESH_ME", metavar="EMAIL", help="Who asks; everything is shown where it is left out."
    ),
]


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


def search(
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORDS]...", help="All products without any.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="Products of one domain.")] = None,
    sensitivity: Annotated[Sensitivity | None, typer.Option("--sensitivity", help="Holding such columns.")] = None,
    status: Annotated[Status | None, typer.Option("--status", help="In this state; all but retired otherwise.")] = None,
    me: Me = "",
    mesh: Mesh = Path("mesh"),
    output: Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")] = Format.TEXT,
) -> None:
    """Find data products by words, in spite of typing errors.

    Looks at names, tables, columns, descriptions, tags and owners of the declarations; calls no cloud.
    Exit code 0: found, 1: found nothing, or the mesh is not valid, 2: misuse.
    """
    from lakemesh.portal.catalogue.browse import Catalogue, Filters

    now = read(mesh)
    found = Catalogue(now.declarations).find(
        somebody(now, me), " ".join(words or ()), Filters(domain, sensitivity, status)
    )
    if output is Format.JSON:
        typer.echo(json.dumps(_found_json(found), indent=2))
    else:
        typer.echo(_found_text(found))
    if not found.results:
        raise typer.Exit(1)


def show(
    product: Annotated[str, typer.Argument(metavar="PRODUCT")],
    principal: Annotated[
        str | None, typer.Option("--as", metavar="CONSUMER/ALIAS", help="What this principal could read of it.")
    ] = None,
    me: Me = "",
    mesh: Mesh = Path("mesh"),
    output: Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")] = Format.TEXT,
) -> None:
    """Show a data product: its columns, what a principal could read and why not the rest, who else can, sample queries.

    Answers from the declarations; calls no cloud.
    Exit code 0: shown, 1: there is no such product, or the mesh is not valid, 2: misuse or an unknown principal.
    """
    from lakemesh.access.subject import UnknownError
    from lakemesh.declarations.errors import did_you_mean
    from lakemesh.portal.catalogue.page import product_page
    from lakemesh.portal.catalogue.visible import Viewer

    now = read(mesh)
    viewer = Viewer(now.declarations, somebody(now, me))
    found = viewer.product(product)
    if found is None:
        names = [one.name for one in viewer.products()]
        stop(1, f'There is no product "{product}".{did_you_mean(product, names)}')
    try:
        page = product_page(now.access, now.places, found, principal)
    except UnknownError as error:
        stop(2, str(error))
    typer.echo(json.dumps(_page_json(page), indent=2) if output is Format.JSON else _page_text(page, principal))


def read(mesh: Path) -> MeshNow:
    """The mesh, or an exit that says what is wrong with it."""
    from lakemesh.declarations.errors import InvalidMeshError
    from lakemesh.portal.workspace import Workspace

    if not mesh.is_dir():
        stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    try:
        return Workspace(mesh, lambda: dt.datetime.now(dt.UTC)).mesh()
    except InvalidMeshError as error:
        stop(1, str(error))


def somebody(now: MeshNow, me: str) -> Person:
    """Who asks: whoever has the files sees everything in them anyway."""
    from lakemesh.portal.people import person
    from lakemesh.portal.requests.model import Person

    return person(now.declarations, me, me, ()) if me else Person("", steward=True)


def stop(code: int, text: str) -> NoReturn:
    """End with a word."""
    from lakemesh.declarations.errors import printable

    typer.echo("\n".join(printable(line) for line in text.split("\n")), err=True)
    raise typer.Exit(code)


# -------------------------------------------------------------------------------------------------------- results
def _found_json(found: Results) -> dict[str, Any]:
    return {
        "products": [
            {
                "product": one.product.name,
                "title": one.product.title,
                "domain": one.product.domain,
                "status": str(one.product.status),
                "sensitivities": [str(level) for level in one.levels],
                "unreviewed": one.unreviewed,
                "description": one.product.description,
            }
            for one in found.results
        ],
        "instead": {asked: list(words) for asked, words in found.instead},
    }


def _found_text(found: Results) -> str:
    from lakemesh.declarations.errors import printable

    lines = []
    for asked, words in found.instead:
        said = f"shown instead: {', '.join(words)}" if words else "and nothing near it"
        lines.append(f'Nothing says "{asked}"; {said}.')
    for one in found.results:
        lines += ["", *_result_lines(one)]
    if not found.results:
        lines.append("No data product. lakemesh search without words lists all of them.")
    return "\n".join(printable(line) for line in lines).strip("\n")


def _result_lines(one: Result) -> list[str]:
    product = one.product
    levels = ", ".join(map(str, one.levels)) + (f", {one.unreviewed} unreviewed" if one.unreviewed else "")
    state = "" if product.status is Status.ACTIVE else f", {product.status}"
    return [f"{product.name}  {product.title}", f"  {product.domain}{state}: {levels}", f"  {product.description}"]


# ----------------------------------------------------------------------------------------------------- one product
def _page_json(page: ProductPage) -> dict[str, Any]:
    return {
        "product": page.product.name,
        "title": page.product.title,
        "domain": page.product.domain,
        "status": str(page.product.status),
        "version": page.product.version,
        "owner": page.owner,
        "approvers": list(page.approvers),
        "contract": page.contract,
        "tables": [asdict(table) for table in page.tables],
        "readers": [asdict(reader) for reader in page.readers],
    }


def _page_text(page: ProductPage, principal: str | None) -> str:
    from lakemesh.declarations.errors import printable

    product = page.product
    lines = [
        f"{product.name}  {product.title}",
        product.description,
        "",
        f"  owner     {page.owner}",
        f"  decides   {', '.join(page.approvers)}",
        f"  contract  {page.contract}, version {product.version}, {product.status}",
        *(f"  promises  {one.property} {one.value} {one.unit}" for one in product.service_levels),
    ]
    for table in page.tables:
        width = max(len(column.name) for column in table.columns)
        kinds = max(len(column.sensitivity) for column in table.columns)
        lines += ["", f"{table.key}" + (" (view)" if table.kind == "view" else "")]
        for column in table.columns:
            verdict = {"read": "can read", "discover": "can see, not read", "denied": "cannot read"}
            said = verdict[column.verdict] if column.verdict else ""
            why = f": {column.why}" if column.why else ""
            lines.append(f"  {column.name:{width}}  {column.sensitivity:{kinds}}  {said}{why}".rstrip())
        for engine, query in table.samples.items():
            lines += ["", f"  {engine}", *(f"    {line}" for line in query.split("\n"))]
    lines += ["", "Who can read it"]
    lines += [f"  {one.name}: {one.columns} columns, by {', '.join(one.grants)}" for one in page.readers] or [
        "  nobody"
    ]
    if principal is None:
        lines += ["", "lakemesh show … --as consumer/alias says what one of them could read, and why not the rest."]
    return "\n".join(printable(line) for line in lines)
