"""A bad pull request: a bank account column that nobody reviewed, and a grant to an account of somebody else."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lakemesh.access.check import load_mesh
from lakemesh.check.analyzer import boot
from lakemesh.check.finding import Finding, Judged
from lakemesh.check.inprocess import Asked
from lakemesh.declarations.models import Declarations, Product
from lakemesh.demo.outcome import DemoError
from lakemesh.demo.stage import Stage
from lakemesh.deploy.pack import find_pack
from lakemesh.deploy.run import find_program

TITLE = "A bad pull request is refused before any cloud call"
COLUMN: Final = "refund_bank_account"
STRANGER: Final = "999988887777"
_PROGRAM: Final = '''"""The mesh's program, and what somebody put beside it."""

import runpy

import pulumi
import pulumi_aws as aws

runpy.run_path({main!r}, run_name="__main__")
if pulumi.get_stack() == {stack!r}:
    aws.lakeformation.Permissions(
        "partner-reads",
        principal={stranger!r},
        permissions=["SELECT"],
        table={{"database_name": {database!r}, "name": {table!r}}},
    )
'''


def run(stage: Stage) -> None:
    """Make both changes in copies that are thrown away, and show what the policy pack says of them."""
    program = find_program(stage.mesh)
    pack = find_pack(program)
    if pack is None:
        raise DemoError(f"{program} has no policy pack to ask.")
    with tempfile.TemporaryDirectory(prefix="lakemesh-demo-policies-") as scratch:
        mesh = Path(shutil.copytree(stage.mesh, Path(scratch) / stage.mesh.name))
        product, said = _column(mesh, stage.declarations)
        stack = f"domain-{product.domain}"
        partner = _program(Path(scratch) / "program", program, stack, product)
        declarations = load_mesh(mesh)
        with boot(pack) as analyzer:
            stage.say(f"{said}, without a classification.")
            first = stage.step(
                "Check the contract", lambda: _judged(Asked(analyzer, pack, program, mesh, declarations), stack)
            )
            _refused(stage, first, COLUMN, "the new column is refused until somebody reviews it")
            stage.say(
                f'Somebody adds aws.lakeformation.Permissions("partner-reads", principal="{STRANGER}") to the program.'
            )
            second = stage.step(
                "Check the grant",
                lambda: _judged(Asked(analyzer, pack, partner, stage.mesh, stage.declarations), stack),
            )
            _refused(stage, second, STRANGER, "a grant to an account outside the mesh is refused")
            clean = stage.step(
                "Check the mesh as it is",
                lambda: _judged(Asked(analyzer, pack, program, stage.mesh, stage.declarations), stack),
            )
    stage.check("and the mesh as it is passes", not _mandatory(clean))


def _column(mesh: Path, declarations: Declarations) -> tuple[Product, str]:
    """Put a column into a contract, before one that holds personal data."""
    for product in declarations.products.values():
        for table in product.tables:
            sensitive = next((one for one in table.columns if one.personal_data and one.partition_key is None), None)
            path = mesh / "products" / product.domain / f"{product.name}.odcs.yaml"
            lines = path.read_text(encoding="utf-8").split("\n")
            at = next(
                (n for n, line in enumerate(lines) if sensitive and line.strip() == f"- name: {sensitive.name}"), None
            )
            if at is None or table.kind == "view":
                continue
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            lines[at:at] = [
                f"{indent}- name: {COLUMN}",
                f"{indent}  logicalType: string",
                f"{indent}  physicalType: string",
            ]
            path.write_text("\n".join(lines), encoding="utf-8")
            return product, f"products/{product.domain}/{path.name} gets a column {COLUMN}"
    raise DemoError("No contract of the mesh has a column with personal data, beside which this chapter adds one.")


def _program(directory: Path, program: Path, stack: str, product: Product) -> Path:
    """A program that is the mesh's, and one resource more in one stack."""
    directory.mkdir()
    for file in program.glob("Pulumi*.yaml"):
        shutil.copy(file, directory / file.name)
    table = next(table for table in product.tables if table.kind == "table")
    main = _PROGRAM.format(
        main=str(program / "__main__.py"), stack=stack, stranger=STRANGER, database=table.twin, table=table.name
    )
    (directory / "__main__.py").write_text(main, encoding="utf-8")
    return directory


def _judged(asked: Asked, stack: str) -> Judged:
    (judged,) = asked.about([stack])
    if judged.errors:
        raise DemoError("\n".join(judged.errors))
    return judged


def _mandatory(judged: Judged) -> Sequence[Finding]:
    return [one for one in judged.findings if one.mandatory and not one.unknown]


def _refused(stage: Stage, judged: Judged, about: str, claim: str) -> None:
    """Show what refuses, and check that it is about this."""
    found = [one for one in _mandatory(judged) if about in one.message]
    for one in found[:3]:
        stage.say(f"  refused by {one.rule} ({one.severity}):\n    {one.message}")
    stage.check(claim, bool(found), ", ".join(sorted({one.rule for one in found})))
