"""`lakemesh onboard producer|consumer`: from a live account to its entries in the mesh directory."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from lakemesh.cli.deploy import Format
from lakemesh.declarations.models import Governance

if TYPE_CHECKING:
    from rich.console import Console

    from lakemesh.declarations.models import Declarations
    from lakemesh.onboard.account import Account
    from lakemesh.onboard.facts import DatabaseFacts, ProducerFacts, RoleFacts
    from lakemesh.onboard.producer_plan import Wanted
    from lakemesh.onboard.proposal import Proposal

T = TypeVar("T")
DEFAULT_MESH = Path("mesh")
PREVIEWED_TABLES = 8

app = typer.Typer(
    help="""Read a live account and write its entries into the mesh directory, read-only on AWS's side.

    It shows the diff and asks before it writes; what people wrote is never changed. See docs/onboarding.md.
    """,
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Name = Annotated[str, typer.Argument(help="Its name in the mesh.")]
AccountId = Annotated[
    str, typer.Option("--account", metavar="ID", help="Its account id. Other credentials are refused.")
]
Profile = Annotated[str | None, typer.Option("--profile", metavar="P", help="Profile of the AWS configuration.")]
Role = Annotated[str | None, typer.Option("--role", metavar="ARN", help="Role of the account to assume for reading.")]
MeshDir = Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")]
Owner = Annotated[str, typer.Option("--owner", metavar="TEAM", help="Who answers for it; needed once.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")]
Output = Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")]


@app.command()
def producer(  # noqa: PLR0913, PLR0917 - the options of a command
    name: Name,
    account: AccountId,
    profile: Profile = None,
    role: Role = None,
    mesh: MeshDir = DEFAULT_MESH,
    domain: Annotated[str, typer.Option("--domain", metavar="D", help="Domain that answers for its databases.")] = "",
    database: Annotated[
        list[str] | None, typer.Option("--database", metavar="PATTERN", help="Databases, as sales_*. Default: all.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="PATTERN", help="Tables that get contracts, as orders_* or sales.orders."),
    ] = None,
    product: Annotated[
        list[str] | None,
        typer.Option(
            "--product", metavar="NAME[=PATTERN]", help="One product for (these) tables. Default: one a table."
        ),
    ] = None,
    owner: Owner = "",
    domain_owner: Annotated[str, typer.Option("--domain-owner", metavar="TEAM", help="Owner of a new domain.")] = "",
    approver: Annotated[
        list[str] | None, typer.Option("--approver", metavar="WHO", help="Approver of a new domain; repeat for more.")
    ] = None,
    governance: Annotated[
        Governance | None, typer.Option("--governance", help="Who decides on reads there, if it cannot be seen.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = Format.TEXT,
) -> None:
    """Onboard an account that has data: its sources, prefixes, keys, and a contract a table, every column unreviewed.

    Exit code 0: written, or nothing new. 1: refused, or not confirmed. 2: misuse.
    """
    from lakemesh.onboard.producer_plan import ProductRule, Wanted, check_account, plan_producer
    from lakemesh.onboard.reading import read_catalog, read_producer

    session = _Session(mesh, yes=yes, dry_run=dry_run, output=output)

    def work() -> Proposal:
        declarations = session.declarations()
        check_account(declarations.mesh, "producer", name, account)
        rules = tuple(ProductRule.parse(text) for text in product or ())
        live = session.open(account, declarations, profile, role)
        catalog = session.reading("databases and tables", lambda: read_catalog(live))
        chosen = _databases(session, catalog, database or [])
        wanted = Wanted(
            name=name,
            account=account,
            domain=_domain(session, declarations, domain),
            databases=chosen,
            tables=tuple(table or _tables(session, catalog, chosen)),
            products=rules,
            owner=owner,
            domain_owner=domain_owner,
            approvers=tuple(approver or ()),
            governance=governance,
        )
        wanted = _complete(session, declarations, wanted)
        facts: ProducerFacts = session.reading("buckets, keys and grants", lambda: read_producer(live, catalog, chosen))
        return plan_producer(mesh, declarations, facts, wanted)

    session.run(work)


@app.command()
def consumer(  # noqa: PLR0913, PLR0917 - the options of a command
    name: Name,
    account: AccountId,
    profile: Profile = None,
    role: Role = None,
    mesh: MeshDir = DEFAULT_MESH,
    principal: Annotated[
        list[str] | None,
        typer.Option(
            "--principal", metavar="PATTERN", help="Roles, as Analytics*. Default: those whose policies let them query."
        ),
    ] = None,
    owner: Owner = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = Format.TEXT,
) -> None:
    """Onboard an account that uses data: its roles that query, its data lake administrators.

    Exit code 0: written, or nothing new. 1: refused, or not confirmed. 2: misuse.
    """
    from lakemesh.onboard.consumer_plan import WantedConsumer, candidates, own_roles, plan_consumer
    from lakemesh.onboard.producer_plan import check_account
    from lakemesh.onboard.reading import read_consumer

    session = _Session(mesh, yes=yes, dry_run=dry_run, output=output)

    def work() -> Proposal:
        declarations = session.declarations()
        check_account(declarations.mesh, "consumer", name, account)
        live = session.open(account, declarations, profile, role)
        facts = session.reading("roles and settings", lambda: read_consumer(live))
        by = owner
        if not by and name not in declarations.mesh.consumers:
            by = session.ask(f"Who answers for {name}? (a team, as @org/team)")
        wanted = WantedConsumer(name, account, by, tuple(principal or ()))
        chosen: list[RoleFacts] | None = None
        if session.interactive and not principal:
            mine = own_roles(declarations, wanted) | set(facts.administrators)
            found = candidates(facts, (), mine)
            names = session.choose("Which roles are principals?", [one.name for one in found])
            chosen = [one for one in found if one.name in names]
        return plan_consumer(mesh, declarations, facts, wanted, chosen)

    session.run(work)


# -------------------------------------------------------------------------------------------------- asking people
def _databases(session: _Session, catalog: Sequence[DatabaseFacts], patterns: list[str]) -> frozenset[str]:
    """Names of the databases that were asked for. Raises OnboardError for a pattern that fits none."""
    from lakemesh.onboard.errors import OnboardError
    from lakemesh.onboard.producer_plan import unmatched
    from lakemesh.onboard.screening import matches

    names = [one.name for one in catalog]
    if missing := unmatched(names, patterns):
        raise OnboardError(
            f"No database of the account fits {', '.join(missing)}. There are: {', '.join(names) or 'none'}.\n"
            "Lake Formation hides what it keeps from you: a data lake administrator sees every database."
        )
    if not names:
        raise OnboardError(
            "The account shows no database. Lake Formation hides what it keeps from you: read it as a data lake "
            "administrator, and in the mesh's region."
        )
    if session.interactive and not patterns:
        sizes = {one.name: f"{one.name} ({len(one.tables)} tables)" for one in catalog}
        chosen = session.choose("Which databases?", list(sizes.values()))
        return frozenset(name for name, shown in sizes.items() if shown in chosen)
    return frozenset(name for name in names if matches(name, patterns))


def _tables(session: _Session, catalog: Sequence[DatabaseFacts], chosen: frozenset[str]) -> list[str]:
    """Patterns of tables, asked for on a terminal."""
    if not session.interactive:
        return []
    names = [table.key for one in catalog if one.name in chosen for table in one.tables]
    shown = ", ".join(names[:PREVIEWED_TABLES]) + (", …" if len(names) > PREVIEWED_TABLES else "")
    answer = session.ask(f"Which of {len(names)} tables get a contract? ({shown}) Patterns, with commas", "*")
    return [pattern for text in answer.split(",") if (pattern := text.strip()) and pattern != "*"]


def _domain(session: _Session, declarations: Declarations, given: str) -> str:
    from lakemesh.onboard.errors import OnboardError

    known = sorted(declarations.mesh.domains)
    if given:
        return given
    if session.interactive:
        listed = f" ({', '.join(known)}, or a new one)" if known else ""
        return session.ask(f"Which domain answers for these databases?{listed}", known[0] if len(known) == 1 else "")
    if len(known) == 1:
        return known[0]
    raise OnboardError(
        f"Which domain answers for these databases? Say so with --domain: {', '.join(known) or 'a new one'}."
    )


def _complete(session: _Session, declarations: Declarations, wanted: Wanted) -> Wanted:
    """What a terminal can still be asked for."""
    from dataclasses import replace

    if not session.interactive:
        return wanted
    mesh = declarations.mesh
    if not wanted.owner and wanted.name not in mesh.producers:
        wanted = replace(wanted, owner=session.ask(f"Who answers for {wanted.name}? (a team, as @org/team)"))
    if wanted.domain not in mesh.domains:
        if not wanted.domain_owner:
            owner = session.ask(f"{wanted.domain} is a new domain. Who owns it?", wanted.owner)
            wanted = replace(wanted, domain_owner=owner)
        if not wanted.approvers:
            names = session.ask("Who approves grants on its products? E-mail addresses, with commas")
            wanted = replace(wanted, approvers=tuple(one.strip() for one in names.split(",") if one.strip()))
    return wanted


class _Session:
    """One run of the command: what it shows, what it asks, how it ends."""

    def __init__(self, mesh: Path, *, yes: bool, dry_run: bool, output: Format) -> None:
        from rich.console import Console

        self.mesh, self.yes, self.dry_run, self.output = mesh, yes, dry_run, output
        self.interactive = not yes and not dry_run and output is Format.TEXT and terminal()
        self.progress: Console = Console(stderr=True)
        if not mesh.is_dir():
            raise typer.BadParameter(
                f'there is no directory "{mesh}". Make one with `lakemesh init`.', param_hint="'--mesh'"
            )

    def declarations(self) -> Declarations:
        from lakemesh.access.check import load_mesh

        return load_mesh(self.mesh)

    def open(self, account: str, declarations: Declarations, profile: str | None, role: str | None) -> Account:
        from lakemesh.onboard.account import open_account

        return open_account(account, declarations.mesh.region, profile, role)

    def reading(self, what: str, work: Callable[[], T]) -> T:
        with self.progress.status(f"Reading {what} …"):
            return work()

    def ask(self, question: str, default: str = "") -> str:
        """An answer from the terminal; without one, the default."""
        from rich.prompt import Prompt

        if not self.interactive:
            return default
        return Prompt.ask(question, default=default or None, console=self.progress) or ""

    def choose(self, question: str, options: Sequence[str]) -> list[str]:
        """Some of several options, by their numbers."""
        for number, option in enumerate(options, start=1):
            self.progress.print(f"  {number:3} {option}", highlight=False, markup=False)
        while True:
            answer = self.ask(f"{question} Numbers with commas, or all", "all").strip()
            if answer == "all":
                return list(options)
            picked = [part.strip() for part in answer.split(",") if part.strip()]
            if picked and all(part.isdigit() and 1 <= int(part) <= len(options) for part in picked):
                return [options[int(part) - 1] for part in picked]
            self.progress.print(f"Numbers from 1 to {len(options)}, as 1,3.")

    def run(self, work: Callable[[], Proposal]) -> None:
        """Propose, show, confirm, write."""
        from lakemesh.declarations.errors import InvalidMeshError
        from lakemesh.onboard.errors import OnboardError
        from lakemesh.onboard.proposal import write

        try:
            proposal = work()
            go = self._agreed(proposal)
            if go:
                write(self.mesh, proposal.changes)
        except InvalidMeshError as error:
            self._stop(f"The mesh has to be valid before anything is added to it:\n{error}")
        except OnboardError as error:
            self._stop(str(error))
        except OSError as error:
            self._stop(f"The entries could not be written, and nothing was left half-written: {error}")
        self._end(proposal, written=go)

    def _agreed(self, proposal: Proposal) -> bool:
        """Whether to write; shows everything first."""
        from rich.console import Console

        from lakemesh.onboard.report import show

        if self.output is Format.TEXT:
            console = Console()
            if not console.is_terminal:
                console.width = 160
            show(proposal, self.mesh.resolve().name, console)
        if not proposal.changes or self.dry_run:
            return False
        if self.yes:
            return True
        if not self.interactive:
            self._stop("Nothing was written: without a terminal, --yes writes and --dry-run only shows.", proposal)
        if not typer.confirm("Write these entries?", default=False, err=True):
            self._stop("Nothing was written.")
        return True

    def _end(self, proposal: Proposal, *, written: bool) -> None:
        from lakemesh.onboard.report import as_json

        if self.output is Format.JSON:
            typer.echo(as_json(proposal, self.mesh.resolve().name, written=written))
        elif written:
            files = f"{len(proposal.changes)} file{'s' if len(proposal.changes) != 1 else ''}"
            typer.echo(f"\nWritten: {files}. Next: lakemesh validate --mesh {self.mesh}")
        elif not proposal.changes:
            typer.echo("\nNothing new: the mesh directory has everything already, and was not changed.")
        else:
            typer.echo("\nNothing was written (--dry-run).")

    def _stop(self, text: str, proposal: Proposal | None = None) -> NoReturn:
        from lakemesh.onboard.report import as_json

        if self.output is Format.JSON:
            body = json.loads(as_json(proposal, self.mesh.resolve().name, written=False)) if proposal else {}
            typer.echo(json.dumps({**body, "ok": False, "written": False, "error": text}, indent=2, ensure_ascii=False))
        else:
            typer.echo(text, err=True)
        raise typer.Exit(1)


def terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()
