"""`lakemesh classify recommend|review|apply|status`: what people do with what the recogniser recommends."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.declarations.loader import Loaded
    from lakemesh.declarations.models import Declarations
    from lakemesh.declarations.recommendations import Recommendation, Recommendations
    from lakemesh.onboard.proposal import Draft
    from lakemesh.review.recommend import Key, Outcome

    Ask = Callable[[Key, Recommendation, int, int], Mapping[str, object] | float | None]

DEFAULT_MESH = Path("mesh")
MeshDir = Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")]
Domain = Annotated[
    list[str] | None, typer.Option("--domain", metavar="D", help="Only this domain; repeat for more. Default: all.")
]
RulesFile = Annotated[
    Path | None, typer.Option("--rules", metavar="FILE", help="The company's own rules (docs/classification.md).")
]


@unique
class Format(StrEnum):
    """How a status is written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class Session:
    """A valid mesh, the domains that were asked for, and the files while they are edited."""

    directory: Path
    loaded: Loaded
    declarations: Declarations
    domains: list[str]
    today: dt.date
    draft: Draft

    def recommendations(self, domain: str) -> Recommendations:
        from lakemesh.declarations.recommendations import Recommendations

        return self.loaded.recommendations.get(domain, Recommendations())

    def put(self, domain: str, recommendations: Recommendations) -> None:
        """Have the domain's file say this; a domain without a column to decide on gets no file."""
        from lakemesh.declarations.recommendations import file_of
        from lakemesh.review.text import text_of

        name = file_of(domain)
        if recommendations.products or self.draft.text(name) is not None:
            self.draft.put(name, text_of(domain, recommendations))

    def write(self) -> list[str]:
        """Write what was edited, all or nothing; names of the files."""
        from lakemesh.onboard.errors import OnboardError
        from lakemesh.onboard.proposal import write

        changes = self.draft.changes()
        try:
            write(self.directory, changes)
        except OnboardError as error:
            fail(str(error))
        except OSError as error:
            fail(f"Nothing was written: {error.strerror or error}.")
        return [f"{self.loaded.places.root}/{change.name}" for change in changes]


def fail(message: str) -> NoReturn:
    """End with a message for people, exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


def session(mesh: Path, domains: list[str] | None) -> Session:
    """Reads a mesh directory. Exit code 1 with every problem where it is not valid, 2 where there is none."""
    from lakemesh.declarations.errors import did_you_mean
    from lakemesh.declarations.loader import load
    from lakemesh.declarations.report import as_text
    from lakemesh.onboard.proposal import Draft

    if not mesh.is_dir():
        raise typer.BadParameter(
            f'there is no directory "{mesh}". Name the directory that holds mesh.yaml.', param_hint="'--mesh'"
        )
    today = dt.datetime.now(tz=dt.UTC).date()
    loaded = load(mesh, today)
    if loaded.problems or loaded.declarations is None:
        fail(as_text(loaded.problems))
    known = sorted(loaded.declarations.mesh.domains)
    for name in domains or ():
        if name not in known:
            raise typer.BadParameter(
                f'there is no domain "{name}".{did_you_mean(name, known)}', param_hint="'--domain'"
            )
    return Session(mesh, loaded, loaded.declarations, sorted(set(domains or known)), today, Draft(mesh))


# ------------------------------------------------------------------------------------------------------- recommend
def recommend(
    mesh: MeshDir = DEFAULT_MESH,
    domain: Domain = None,
    rules: RulesFile = None,
    from_central: Annotated[
        bool, typer.Option("--from-central", help="Also take what the functions in the cloud have found.")
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="P", help="Of the AWS configuration, for --from-central."),
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", metavar="ARN", help="Role to assume for --from-central.")
    ] = None,
) -> None:
    """Recommend a classification for every unreviewed column, from names, types, comments and neighbours.

    Writes mesh/recommendations/<domain>.yaml, made for a pull request. Decisions in it stay as they are; a rejection is
    asked again only if the column or the recogniser has changed. Calls no cloud without --from-central, which takes the
    findings of the review after each sync and of the producers' scans from the governance account. Exit code 0: written
    or nothing new, 1: the mesh or the rules are not valid or findings cannot be read, 2: misuse.
    """
    from lakemesh.cli.classify import rules_from
    from lakemesh.review.recommend import NOTHING
    from lakemesh.review.recommend import recommend as merged

    work, loaded_rules = session(mesh, domain), rules_from(rules)
    central = NOTHING
    if from_central:
        from lakemesh.cli.classify_central import findings, say_undeclared

        central = findings(work, profile, role)
    for name in work.domains:
        before = work.recommendations(name)
        outcome = merged(work.declarations, name, before, work.today, rules=loaded_rules, central=central)
        work.put(name, outcome.after)
        say(name, outcome)
        if from_central:
            say_undeclared(work, name, central)
    say_written(work.write())


def say(domain: str, outcome: Outcome) -> None:
    """What became of one domain, in a line, and what people have to look at again."""
    from lakemesh.declarations.errors import printable

    entries = [entry for _, entry in outcome.after.each()]
    pending = sum(entry.pending for entry in entries)
    typer.echo(f"{domain}: {pending} pending ({len(outcome.new)} new), {len(entries) - pending} decided")
    for key, why in outcome.asked_again.items():
        typer.echo(f"  {printable('.'.join(key[1:]))} is asked again: {why}")
    for key in outcome.gone:
        typer.echo(f"  {printable('.'.join(key[1:]))} is no longer in its contract; its decision is taken out")


def say_written(files: list[str]) -> None:
    for file in files:
        typer.echo(f"Written: {file}")
    if not files:
        typer.echo("Nothing to write: every file is as it should be.")


# ---------------------------------------------------------------------------------------------------------- review
def review(
    mesh: MeshDir = DEFAULT_MESH,
    domain: Domain = None,
    accept_above: Annotated[
        float | None,
        typer.Option("--accept-above", min=0, max=1, metavar="P", help="Accept all that is at least this sure."),
    ] = None,
) -> None:
    """Decide on pending columns, one by one in the terminal, or in bulk with --accept-above.

    Decisions go into mesh/recommendations/<domain>.yaml; nothing else changes before `lakemesh classify apply`. Exit
    code 0: decided or nothing pending, 1: the mesh is not valid, 2: misuse (no terminal, and no --accept-above).
    """
    work = session(mesh, domain)
    if accept_above is None and not on_a_terminal():
        raise typer.BadParameter(
            "one by one needs a terminal. In scripts, accept in bulk, as --accept-above 0.9, or edit the files.",
            param_hint="'--accept-above'",
        )
    ask: Ask | None = None
    if accept_above is None:
        from lakemesh.cli.classify_ask import ask
    deciding = _Deciding(work, accept_above, ask)
    try:
        for name in work.domains:
            deciding.domain(name)
    except KeyboardInterrupt:
        typer.echo("\nStopped; what was decided is kept.", err=True)
    files = work.write()
    typer.echo(f"{deciding.decided} decided, {deciding.left} left pending.")
    for file in files:
        typer.echo(f"Written: {file}")
    if deciding.decided:
        typer.echo("Next: lakemesh classify apply")


def on_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class _Deciding:
    """One round through what is pending; each decision is kept as soon as it is made."""

    def __init__(self, work: Session, bound: float | None, ask: Ask | None) -> None:
        self.decided = 0
        self.left = sum(entry.pending for name in work.domains for _, entry in work.recommendations(name).each())
        self._work, self._bound, self._ask = work, bound, ask

    def domain(self, name: str) -> None:
        from lakemesh.review.apply import changed

        pending = [(key, entry) for key, entry in self._work.recommendations(name).each() if entry.pending]
        updates: dict[Key, dict[str, object]] = {}
        try:
            for number, (key, entry) in enumerate(pending, start=1):
                decision = self._decision(key, entry, number, len(pending))
                if decision:
                    updates[key] = dict(decision)
                    self.decided, self.left = self.decided + 1, self.left - 1
        finally:  # also where somebody stops in the middle
            if updates:
                self._work.put(name, changed(self._work.recommendations(name), updates))

    def _decision(self, key: Key, entry: Recommendation, number: int, total: int) -> Mapping[str, object] | None:
        from lakemesh.declarations.recommendations import ACCEPT

        if self._bound is None and self._ask is not None:
            answer = self._ask(key, entry, number, total)
            if not isinstance(answer, float):
                return answer
            self._bound = answer  # from here on in bulk; what is less sure is left
        return {"decision": ACCEPT} if self._bound is not None and entry.confidence >= self._bound else None


# ----------------------------------------------------------------------------------------------------------- apply
def apply(
    mesh: MeshDir = DEFAULT_MESH,
    domain: Domain = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
) -> None:
    """Write decisions into the contracts: `classification`, and the custom property `personalData`.

    Comments, order and all other lines of a contract stay as they are, and so does what somebody classified by hand.
    The next `lakemesh up` turns them into LF-Tags. Exit code 0: done or nothing to do, 1: something was refused.
    """
    from lakemesh.declarations.errors import printable
    from lakemesh.onboard.errors import OnboardError
    from lakemesh.onboard.proposal import tried
    from lakemesh.review.apply import plan

    work = session(mesh, domain)
    applied = plan(work.loaded, work.declarations, work.domains, work.today, lambda name: work.draft.text(name) or "")
    for name, text in applied.files.items():
        work.draft.put(name, text)
    changes = work.draft.changes()
    try:
        tried(mesh, changes)
    except OnboardError as error:
        fail(str(error))
    for change in changes if dry_run else ():
        typer.echo(change.diff(work.loaded.places.root), nl=False)
    for key, what in applied.done.items():
        typer.echo(f"{printable('.'.join(key[1:]))}: {what}")
    for key, what in applied.kept.items():
        typer.echo(f"{printable('.'.join(key[1:]))} is {what} in its contract already, which stands")
    if not dry_run:
        say_written(work.write())
        if applied.done:
            typer.echo("Next: lakemesh up, which turns them into tags")
    if applied.refused:
        fail(
            "\n".join(f"{printable('.'.join(key[1:]))} was not applied: {why}" for key, why in applied.refused.items())
        )


# ---------------------------------------------------------------------------------------------------------- status
def status(
    mesh: MeshDir = DEFAULT_MESH,
    domain: Domain = None,
    output: Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")] = Format.TEXT,
) -> None:
    """How many columns are reviewed, pending and rejected in each domain, and how long the oldest has waited.

    Pending and rejected columns are unreviewed, hence readable by nobody. Calls no cloud.
    """
    from lakemesh.review.status import coverage

    work = session(mesh, domain)
    found = [coverage(work.declarations, name, work.recommendations(name), work.today) for name in work.domains]
    if output is Format.JSON:
        typer.echo(json.dumps({"domains": [one.document() for one in found]}, indent=2))
        return
    for one in found:
        age = f", the oldest for {one.oldest_pending_days} days" if one.oldest_pending_days is not None else ""
        typer.echo(
            f"{one.domain}: {one.columns} columns, {one.reviewed} reviewed, {one.pending} pending{age}, "
            f"{one.rejected} rejected, {one.decided} decided and not yet applied"
        )
        if one.unrecommended:
            typer.echo(
                f"  {one.unrecommended} without a recommendation: lakemesh classify recommend --domain {one.domain}"
            )
