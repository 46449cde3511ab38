"""`lakemesh sync`: how the sync stands, to start it, to prove both sides equal, to let deletions through."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from enum import StrEnum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from lakemesh.declarations.models import Declarations
    from lakemesh.sync.account import Account, Verified
    from lakemesh.sync.status import Guard, Status, TableStatus

app = typer.Typer(
    no_args_is_help=True,
    help="""The metadata sync between the producers' catalogs and the central one.

    Works in the governance account, by whatever credentials the terminal has; on the local AWS,
    `eval "$(lakemesh local env)"` sets them.""",
)
T = TypeVar("T")


@unique
class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


Mesh = Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")]
Domain = Annotated[str | None, typer.Option("--domain", metavar="D", help="One domain; all of them if left out.")]
Output = Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the queue is empty.")]
MOST_WAIT: Final = 3600.0
"""Seconds."""
NAMED: Final = 20
"""Tables of a guard that are shown by name."""


@app.command()
def status(domain: Domain = None, mesh: Mesh = Path("mesh"), output: Output = Format.TEXT) -> None:
    """Say how the sync stands: what is late, held, failed or stale, what the guard holds, what failed again and again.

    Exit code 0: everything is well, 1: something needs a person, or the mesh is not valid, 2: misuse.
    """
    declarations, account = _at(mesh, domain)
    now = dt.datetime.now(dt.UTC)
    found = _stands(declarations, account, domain, now)
    typer.echo(json.dumps(_status_json(found), indent=2) if output is Format.JSON else _status_text(found, now))
    if found.wrong:
        raise typer.Exit(1)


@app.command()
def run(
    domain: Domain = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="TWIN.TABLE", help="Only this table; may be given again.")
    ] = None,
    wait: Wait = False,
    mesh: Mesh = Path("mesh"),
) -> None:
    """Have tables compared with their sources now, and what differs brought over: all, a domain's, or single ones.

    The same as the scheduled refresh, which repairs whatever events missed.
    Exit code 0: asked for, and done with --wait, 1: not done, or the mesh is not valid, 2: misuse.
    """
    declarations, account = _at(mesh, domain)
    messages: list[dict[str, Any]]
    if table:
        messages = [_table_message(declarations, name) for name in table]
    elif domain:
        messages = [{"action": "refresh", "twin": twin, "window": 0} for twin in _twins(declarations, domain)]
    else:
        messages = [{"action": "refresh", "window": 0}]
    _tried(lambda: account.send(messages))
    typer.echo(f"Asked for: {_what(domain, table)}.")
    _wait(account, wait)


@app.command()
def repair(domain: Domain = None, wait: Wait = False, mesh: Mesh = Path("mesh")) -> None:
    """Have everything compared that is late, failed, held, different or waiting as a dead message.

    Exit code 0: asked for, and done with --wait, 1: not done, or the mesh is not valid, 2: misuse.
    """
    declarations, account = _at(mesh, domain)
    found = _stands(declarations, account, domain, dt.datetime.now(dt.UTC))
    names = sorted({one.table for one in found.tables if one.wrong} | set(found.never))
    _tried(lambda: account.send([_table_message(declarations, name) for name in names]))
    if found.dead:
        _tried(account.redrive)
    dead = f", and {found.dead} dead messages go back to the queue" if found.dead else ""
    typer.echo(f"Asked for: {len(names)} tables{dead}.")
    _wait(account, wait)


@app.command()
def redrive(wait: Wait = False, mesh: Mesh = Path("mesh")) -> None:
    """Move the messages that failed again and again back to the queue, once their cause is mended.

    Exit code 0: moved, 1: not moved, or the mesh is not valid, 2: misuse.
    """
    _, account = _at(mesh, None)
    _, dead = _tried(account.depths)
    if not dead:
        typer.echo("No message is in the dead-letter queue.")
        return
    _tried(account.redrive)
    typer.echo(f"{dead} messages go back to the queue.")
    _wait(account, wait)


@app.command()
def verify(
    domain: Domain = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="TWIN.TABLE", help="Only this table; may be given again.")
    ] = None,
    mesh: Mesh = Path("mesh"),
    output: Output = Format.TEXT,
) -> None:
    """Compare every twin with its source, by the sync's own reading and writing nothing: the convergence report.

    Exit code 0: all are equal, or not for a reason that is said, 1: a difference, or a table that could not be
    compared, 2: misuse.
    """
    declarations, account = _at(mesh, domain)
    chosen: dict[str, list[str] | None] = dict.fromkeys(_twins(declarations, domain))
    if table:
        chosen = {}
        for name in table:
            message = _table_message(declarations, name)
            names = chosen.setdefault(message["twin"], [])
            if names is not None:
                names.append(message["table"])
    console = _console()
    found: list[Verified] = []
    with _progress(console, "Comparing …") as shown:
        _tried(lambda: found.extend(account.verify(chosen, lambda done: shown(f"{done} compared"))))
    wrong = [one for one in found if one.state in {"different", "failed"}]
    if output is Format.JSON:
        typer.echo(json.dumps({"equal": not wrong, "tables": [asdict(one) for one in found]}, indent=2))
    else:
        typer.echo(_verified_text(found))
    if wrong:
        raise typer.Exit(1)


@app.command("approve-deletes")
def approve_deletes(
    domain: Annotated[str, typer.Option("--domain", metavar="D", help="The domain whose deletions are held.")],
    me: Annotated[str, typer.Option("--me", envvar="LAKEMESH_ME", metavar="EMAIL", help="Who answers for it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Approve without asking.")] = False,
    mesh: Mesh = Path("mesh"),
) -> None:
    """Let through the deletions that the mass-delete guard holds: exactly those shown, for 24 hours.

    Exit code 0: approved, or nothing is held, 1: not approved, or the mesh is not valid, 2: misuse.
    """
    from lakemesh.sync.status import GUARDS, guard

    declarations, account = _at(mesh, domain)
    items = _tried(lambda: list(account.items(_twins(declarations, domain))))
    held = [item for item in items if str(item["item"]).startswith(GUARDS) and item.get("domain") == domain]
    if not held:
        typer.echo(f"Nothing of domain {domain} is held.")
        return
    for item in held:
        typer.echo("\n".join(_guard_lines(guard(item))))
    if not yes and not typer.confirm("These will be deleted from the central catalog. Approve?", err=True):
        _stop(1, "Nothing was approved.")
    now = dt.datetime.now(dt.UTC)
    for item in held:
        made = _tried(lambda item=item: account.approve(item, me, now))  # type: ignore[misc]
        typer.echo(f"Approved until {dt.datetime.fromtimestamp(int(made['expires']), dt.UTC):%Y-%m-%d %H:%M UTC}.")
    typer.echo(f"The next comparison deletes them; to have it now: lakemesh sync run --domain {domain}")


# --------------------------------------------------------------------------------------------------------- finding
def _at(mesh: Path, domain: str | None) -> tuple[Declarations, Account]:
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError, did_you_mean
    from lakemesh.sync.account import Account

    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    try:
        declarations = load_mesh(mesh)
    except InvalidMeshError as error:
        _stop(1, str(error))
    if domain is not None and domain not in declarations.mesh.domains:
        _stop(2, f'There is no domain "{domain}".{did_you_mean(domain, declarations.mesh.domains)}')
    return declarations, _tried(lambda: Account(declarations))


def _stands(declarations: Declarations, account: Account, domain: str | None, now: dt.datetime) -> Status:
    from lakemesh.declarations.schedules import period
    from lakemesh.sync.status import status as of

    twins, refresh = _twins(declarations, domain), period(declarations.mesh.sync.refresh)
    return _tried(lambda: of(declarations, list(account.items(twins)), account.depths(), now, refresh, domain))


def _twins(declarations: Declarations, domain: str | None) -> list[str]:
    return sorted(
        source.twin_name
        for name, entry in declarations.mesh.domains.items()
        if domain in {None, name}
        for source in entry.sources
    )


def _table_message(declarations: Declarations, name: str) -> dict[str, Any]:
    from lakemesh.declarations.errors import did_you_mean

    twin, dot, table = name.partition(".")
    twins = _twins(declarations, None)
    if not dot or not table:
        _stop(2, f'"{name}" is no TWIN.TABLE.')
    if twin not in twins:
        _stop(2, f'The mesh has no twin "{twin}".{did_you_mean(twin, twins)}')
    return {"action": "table", "twin": twin, "table": table}


def _what(domain: str | None, tables: Sequence[str] | None) -> str:
    if tables:
        return f"{len(tables)} tables"
    return f"every table of domain {domain}" if domain else "every table, and every product's LF-Tags"


def _tried(work: Callable[[], T]) -> T:
    """What `work` returns, or an exit with what refused it."""
    from botocore.exceptions import BotoCoreError, ClientError

    from lakemesh.sync.account import VerifyError

    try:
        return work()
    except ClientError as error:
        said = error.response["Error"]
        text = f"{error.operation_name}: {said.get('Message')} ({said.get('Code')})."
        _stop(1, f"{text} Is stack central deployed, and are these credentials of the governance account?")
    except (BotoCoreError, VerifyError, ValueError) as error:
        _stop(1, str(error))


# --------------------------------------------------------------------------------------------------------- showing
def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True)


def _progress(console: Console, title: str) -> AbstractContextManager[Callable[[str], None]]:
    """A spinner whose words change; nothing where nobody looks."""
    if not console.is_terminal:
        return nullcontext(lambda _: None)
    return _Spinner(console, title)


class _Spinner(AbstractContextManager[Callable[[str], None]]):
    def __init__(self, console: Console, title: str) -> None:
        self._status = console.status(title)

    def __enter__(self) -> Callable[[str], None]:
        self._status.start()
        return self._status.update

    def __exit__(self, *_: object) -> None:
        self._status.stop()


def _wait(account: Account, wanted: bool) -> None:
    if not wanted:
        return
    with _progress(_console(), "Waiting for the queue …") as shown:
        done = _tried(lambda: account.wait(lambda left: shown(f"{left} messages left"), MOST_WAIT))
    if not done:
        _stop(1, "The queue is not empty after an hour; lakemesh sync status says what waits.")
    typer.echo("The queue is empty. lakemesh sync verify proves that both sides are equal.")


def _stop(code: int, text: str) -> NoReturn:
    from lakemesh.declarations.errors import printable

    typer.echo("\n".join(printable(line) for line in text.split("\n")), err=True)
    raise typer.Exit(code)


def _status_json(found: Status) -> dict[str, Any]:
    return {
        "wrong": found.wrong,
        "waiting": found.waiting,
        "dead": found.dead,
        "guards": [asdict(one) for one in found.guards],
        "never": list(found.never),
        "tables": [
            {key: value.isoformat() if isinstance(value, dt.datetime) else value for key, value in asdict(one).items()}
            | {"wrong": one.wrong}
            for one in found.tables
        ],
    }


def _status_text(found: Status, now: dt.datetime) -> str:
    from lakemesh.declarations.errors import printable

    lines = []
    for domain in sorted({one.domain for one in found.tables}):
        tables = [one for one in found.tables if one.domain == domain and not one.deleted]
        times = [one.last_success for one in tables if one.last_success]
        oldest = f", the oldest compared {_ago(now - min(times))} ago" if times else ""
        wrong = sum(one.wrong for one in tables)
        looks = f", {wrong} to look at" if wrong else ""
        lines.append(f"{_mark(bool(wrong))}{domain}: {len(tables)} tables{oldest}{looks}")
        for one in tables:
            lines += [f"      {one.table}: {reason}" for reason in _reasons(one, now)]
    for name in found.never:
        lines.append(f"!   {name} is in a contract and was never seen by the sync")
    for held in found.guards:
        lines += _guard_lines(held)
        lines.append(f"      lakemesh sync approve-deletes --domain {held.domain} lets them through")
    lines.append(f"queue: {found.waiting} waiting")
    mend = " (lakemesh sync redrive)" if found.dead else ""
    lines.append(f"{_mark(bool(found.dead))}dead-letter queue: {found.dead}{mend}")
    return "\n".join(printable(line) for line in lines)


def _mark(wrong: bool) -> str:
    return "!   " if wrong else "ok  "


def _reasons(one: TableStatus, now: dt.datetime) -> list[str]:
    said = []
    if one.failure:
        said.append(f"failed: {one.failure}")
    if one.held:
        said.append(f"held: {one.held}")
    if one.late:
        success = one.last_success
        said.append(f"compared {_ago(now - success)} ago, which is late" if success else "never compared")
    if one.different:
        said.append("differed from its source at the last comparison")
    if one.stale and one.fresh_at:
        said.append(f"its data is {_ago(now - one.fresh_at)} old, more than the contract promises")
    if one.absent_since:
        said.append(f"not seen at its source since {one.absent_since:%Y-%m-%d %H:%M UTC}")
    if one.skipped:
        said.append(f"not copied: {one.skipped}")
    return said


def _guard_lines(one: Guard) -> list[str]:
    what = f"{one.count} {one.what} ({one.share:.0%} of domain {one.domain})"
    lines = [f"!   the mass-delete guard holds {what}, since {one.since}"]
    lines += [f"      {one.twin}.{name}" for name in one.names[:NAMED]]
    more = len(one.names) - NAMED
    return [*lines, *([f"      and {more} more"] if more > 0 else [])]


def _verified_text(found: Sequence[Verified]) -> str:
    from lakemesh.declarations.errors import printable

    counts = Counter(one.state for one in found)
    lines = []
    for one in found:
        if one.state == "equal":
            continue
        mark = {"different": "!", "failed": "!", "explained": "-"}[one.state]
        lines.append(f"{mark} {one.table}: {one.reason}")
        if one.state == "different":
            lines.append(f"    source {one.source or 'nothing'}\n    twin   {one.twin or 'nothing'}")
    partitions = sum(one.partitions for one in found)
    rest = "".join(f"; {counts[state]} {state}" for state in ("explained", "different", "failed") if counts[state])
    lines.append(
        f"{counts['equal']} of {len(found)} tables are equal to their sources, with {partitions} partitions{rest}."
    )
    return "\n".join(printable(part) for line in lines for part in line.split("\n"))


def _ago(age: dt.timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"
