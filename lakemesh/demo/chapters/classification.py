"""A new table: what is sensitive in it is recommended, a person accepts, and a column becomes readable to some."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lakemesh.access.holders import Access
from lakemesh.declarations.models import Declarations, Product, Sensitivity, Source
from lakemesh.declarations.naming import Naming
from lakemesh.demo import seed
from lakemesh.demo.outcome import DemoError
from lakemesh.demo.process import environment
from lakemesh.demo.queries import Answer, Workgroup
from lakemesh.demo.stage import Stage
from lakemesh.demo.tables import Format, SourceTable, columns
from lakemesh.onboard.yamltext import insert

TITLE = "Sensitive columns of a new table are recommended, accepted, tagged, and read by those who may"
TABLE: Final = "demo_contacts"
COLUMN: Final = "email"
_COLUMNS: Final = columns("contact_id string\n full_name string\n email string\n city string")
_ROWS: Final = (
    {"contact_id": "C-1", "full_name": "Ada Quist", "email": "ada.quist@vendor.example", "city": "Lund"},
    {"contact_id": "C-2", "full_name": "Bo Tran", "email": "bo.tran@vendor.example", "city": "Ghent"},
)


def run(stage: Stage) -> None:
    """Make the table, list it in a contract, accept what is recommended, deploy, and ask every principal."""
    product, source = _place(stage.declarations)
    name = f"{source.twin_name}.{TABLE}"
    stage.say(f"The producer makes a table {source.database}.{TABLE}: {', '.join(one.name for one in _COLUMNS)}.")
    table = SourceTable(source.database, TABLE, Format.PARQUET, _COLUMNS, _ROWS)
    stage.step("Wait for the sync", lambda: _arrives(stage, source, table))
    contract = stage.mesh / "products" / product.domain / f"{product.name}.odcs.yaml"
    _listed(contract)
    stage.say(f"products/{product.domain}/{contract.name} lists it; nobody has reviewed its columns.")
    stage.deploy(["central", f"domain-{product.domain}"])
    before = stage.step("Ask every principal for the e-mail address", lambda: _asked(stage, source.twin_name, COLUMN))
    stage.check(
        "an unreviewed column is refused to everybody",
        bool(before) and all(answer.refused for answer in before.values()),
        f"{sum(answer.refused for answer in before.values())} of {len(before)} are refused",
    )

    said = stage.step(
        "lakemesh classify recommend", lambda: _lakemesh(stage, "classify", "recommend", "--domain", product.domain)
    )
    stage.say("\n".join(f"  {line}" for line in said.strip().split("\n")[-4:]))
    file = stage.mesh / "recommendations" / f"{product.domain}.yaml"
    accepted = _accepted(file, name)
    stage.say(
        f"A person accepts what recommendations/{product.domain}.yaml proposes for {name}: {', '.join(accepted)}."
    )
    stage.check("the e-mail address and the name are recommended", {COLUMN, "full_name"} <= accepted.keys())
    stage.step("lakemesh classify apply", lambda: _lakemesh(stage, "classify", "apply"))
    stage.deploy(["central", f"domain-{product.domain}"])

    readers = _readers(stage, source.twin_name)
    after = stage.step("Ask every principal again", lambda: _asked(stage, source.twin_name, COLUMN))
    can = {who for who, answer in after.items() if answer.ok}
    level = _level(stage.declarations, name)
    stage.check(
        f"{COLUMN} ({level}) is read by exactly those whose grant names {level}",
        can == readers and bool(can),
        f"{', '.join(sorted(can)) or 'nobody'}; {len(after) - len(can)} others are refused",
    )
    stage.check("those who are refused are refused for that reason", all(a.refused for a in after.values() if not a.ok))


def _place(declarations: Declarations) -> tuple[Product, Source]:
    """A product of which somebody reads confidential columns, and the source of its first table."""
    for grants in declarations.grants.values():
        for grant in grants:
            if (
                Sensitivity.CONFIDENTIAL in grant.sensitivity
                and grant.principal
                and not grant.filtered
                and grant.product
            ):
                product = declarations.products[grant.product]
                twin = product.tables[0].twin
                sources = declarations.mesh.domains[product.domain].sources
                return product, next(source for source in sources if source.twin_name == twin)
    raise DemoError("No grant of the mesh names confidential: this chapter shows who reads such a column.")


def _arrives(stage: Stage, source: Source, table: SourceTable) -> None:
    seed.add_table(stage.declarations, stage.clients, source, table)
    with urllib.request.urlopen(f"{stage.endpoint}/_local/idle?timeout=60", timeout=90):  # noqa: S310 - loopback
        pass
    stage.clients.root("glue", stage.declarations.mesh.central.account).get_table(
        DatabaseName=source.twin_name, Name=table.name
    )


def _listed(contract: Path) -> None:
    entry = {
        "name": TABLE,
        "physicalType": "table",
        "properties": [{"name": one.name, "logicalType": "string", "physicalType": one.type} for one in _COLUMNS],
    }
    contract.write_text(insert(contract.read_text(encoding="utf-8"), ("schema",), [entry], own=False), encoding="utf-8")


def _accepted(file: Path, table: str) -> dict[str, str]:
    """Accept every proposal for the table; the columns."""
    lines, done, here, column = file.read_text(encoding="utf-8").split("\n"), dict[str, str](), False, ""
    for number, line in enumerate(lines):
        indent, text = len(line) - len(line.lstrip()), line.strip()
        if indent == 4:
            here = text == f"{table}:"
        elif here and indent == 6 and re.fullmatch(r"\w+:", text):
            column = text.rstrip(":")
        elif here and text == "decision:":
            lines[number] = f"{line} accept"
            done[column] = "accept"
    file.write_text("\n".join(lines), encoding="utf-8")
    return done


def _lakemesh(stage: Stage, *arguments: str) -> str:
    """A command as a person types it; raises DemoError with what it said."""
    command = [
        sys.executable,
        "-c",
        "from lakemesh.cli.main import main; main()",
        *arguments,
        "--mesh",
        str(stage.mesh),
    ]
    env = {**environment(), "PATH": os.environ.get("PATH", "")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)  # noqa: S603 - our own command
    if done.returncode != 0:
        raise DemoError(f"lakemesh {' '.join(arguments)}: {done.stderr or done.stdout}")
    return done.stdout


def _asked(stage: Stage, twin: str, column: str) -> Mapping[str, Answer]:
    """What Athena answers each principal of the mesh."""
    found = {}
    for consumer, declared in stage.declarations.consumers.items():
        for alias, principal in declared.principals.items():
            name = Naming(stage.declarations.mesh).workgroup(consumer, alias)
            workgroup = Workgroup(stage.clients.role("athena", principal.role), name)
            found[f"{consumer}/{alias}"] = workgroup.run(f'SELECT "{column}" FROM "{twin}"."{TABLE}"', twin)  # noqa: S608
    return found


def _readers(stage: Stage, twin: str) -> set[str]:
    """Who can read the column by the declarations."""
    access = Access(stage.declarations, dt.datetime.now(dt.UTC).date())
    return {holder.name for holder, names in access.readers.get((twin, TABLE), ()) if COLUMN in names}


def _level(declarations: Declarations, table: str) -> str:
    found = (one for product in declarations.products.values() for one in product.tables if one.key == table)
    return str(next(column.sensitivity for column in next(found).columns if column.name == COLUMN))
