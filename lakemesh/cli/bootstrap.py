"""`lakemesh bootstrap`: what each account needs before its first deployment."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from lakemesh.bootstrap.files import File
    from lakemesh.declarations.models import Declarations
    from lakemesh.deploy.bootstrapped import Finding


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


class State(StrEnum):
    """What a file on disk is, compared with what the mesh says."""

    SAME = "unchanged"
    DIFFERS = "differs"
    MISSING = "missing"
    WRITTEN = "written"
    STRAY = "of no account of the mesh"


def bootstrap(
    mesh: Annotated[Path, typer.Option("--mesh", metavar="DIR", help="Directory that holds mesh.yaml.")] = Path("mesh"),
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")] = Path("bootstrap"),
    account: Annotated[
        str | None,
        typer.Option(
            "--account", metavar="ID|PART", help="One account, by its id or as central, producer-<p>, consumer-<c>."
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where files differ.")] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Ask the account behind the credentials whether it is complete (read-only)."),
    ] = False,
    profile: Annotated[str | None, typer.Option("--profile", help="AWS profile for --verify.")] = None,
    output: Annotated[Format, typer.Option("--format", help="text for people, json for scripts.")] = Format.TEXT,
) -> None:
    """Write what each account needs first: a CloudFormation template with the role that deploys it, the organization's
    service control policies, and a README of what to run.

    Calls nothing but with --verify, and there only reads. Exit code 0: done or complete, 1: invalid mesh, files differ
    or an account is not complete, 2: misuse.
    """
    from lakemesh.bootstrap.documents import BootstrapError
    from lakemesh.bootstrap.files import files

    if check and verify:
        _stop(2, "--check compares files, --verify asks an account: one at a time.")
    declarations = _load(mesh, output)
    try:
        every = files(declarations)
    except BootstrapError as error:
        _fail(str(error), output)
    chosen = _choose(every, account) if account else every
    if verify:
        _verify(declarations, chosen if account else None, profile, output)
        return
    states = _compare(chosen, out) if check else _write(chosen, out)
    if not account:
        states |= dict.fromkeys(_strays(every, out), State.STRAY)
    _report(declarations, states, out, check=check, output=output)


def _load(mesh: Path, output: Format) -> Declarations:
    from lakemesh.access.check import load_mesh
    from lakemesh.declarations.errors import InvalidMeshError

    if not mesh.is_dir():
        _stop(2, f'There is no directory "{mesh}". Name the directory that holds mesh.yaml with --mesh.')
    try:
        return load_mesh(mesh)
    except InvalidMeshError as error:
        _fail(str(error), output)


def _choose(every: tuple[File, ...], account: str) -> tuple[File, ...]:
    from lakemesh.declarations.errors import did_you_mean

    found = tuple(file for file in every if account and account in {file.account, file.part})
    if not found:
        known = [name for file in every if file.part for name in (file.part, file.account)]
        _stop(2, f'"{account}" is no account of the mesh.{did_you_mean(account, known)}')
    return found


# ------------------------------------------------------------------------------------------------------------ files
def _compare(chosen: tuple[File, ...], out: Path) -> dict[str, State]:
    states: dict[str, State] = {}
    for file in chosen:
        path = out / file.path
        if not path.is_file():
            states[file.path] = State.MISSING
        else:
            states[file.path] = State.SAME if path.read_bytes() == file.text.encode() else State.DIFFERS
    return states


def _write(chosen: tuple[File, ...], out: Path) -> dict[str, State]:
    states = _compare(chosen, out)
    try:
        for file in chosen:
            if states[file.path] is not State.SAME:
                (out / file.path).parent.mkdir(parents=True, exist_ok=True)
                (out / file.path).write_bytes(file.text.encode())
                states[file.path] = State.WRITTEN
    except OSError as error:
        _stop(1, f"{error.filename}: {error.strerror}. Nothing was called; name another directory with --out.")
    return states


def _strays(every: tuple[File, ...], out: Path) -> list[str]:
    """Templates and policies of accounts that left the mesh: somebody might deploy them."""
    known = {file.path for file in every}
    folders = {str(Path(file.path).parent): Path(file.path).suffix for file in every if not file.path.endswith(".md")}
    found = [path for folder, suffix in folders.items() for path in (out / folder).glob(f"*{suffix}")]
    return sorted(name for path in found if (name := path.relative_to(out).as_posix()) not in known)


def _report(declarations: Declarations, states: dict[str, State], out: Path, *, check: bool, output: Format) -> None:
    wrong = [path for path, state in states.items() if state not in {State.SAME, State.WRITTEN}]
    if output is Format.JSON:
        listed = [{"path": path, "state": str(state)} for path, state in states.items()]
        typer.echo(json.dumps({"out": str(out), "ok": not (check and wrong), "files": listed}, indent=2))
    elif check:
        for path in wrong:
            typer.echo(f"{out / path}: {states[path]}")
        mend = f"Write them: lakemesh bootstrap --out {out}, then run what {out}/README.md says for these accounts."
        typer.echo(mend if wrong else f"{len(states)} files in {out} are what the mesh says.")
    else:
        _teach(declarations, states, out)
    if check and wrong:
        raise typer.Exit(1)


def _teach(declarations: Declarations, states: dict[str, State], out: Path) -> None:
    """What was written, what it is, and what to do next."""
    from lakemesh.bootstrap.places import places

    written = sum(state is State.WRITTEN for state in states.values())
    typer.echo(f"{written} files written, {sum(s is State.SAME for s in states.values())} unchanged, in {out}/\n")
    for place in places(declarations):
        state = states.get(f"{place.part}.yaml")
        if state:
            typer.echo(f"  {place.part}.yaml: account {place.account}, {state}")
    policies = [path for path in states if path.endswith(".json")]
    if policies:
        typer.echo(f"  {policies[0].rpartition('/')[0]}/: {len(policies)} service control policies of the organization")
    for path in (path for path, state in states.items() if state is State.STRAY):
        typer.echo(f"  {path}: {State.STRAY}; remove it, and what was deployed from it")
    typer.echo(
        "\nA template makes the role that deploys its account, with nothing but what that takes, and the limits of\n"
        "the roles it makes. central.yaml also makes the bucket and the key of Pulumi's state.\n\n"
        f"Next: read {out}/README.md; it has the commands, in order, for each account.\n"
        "Then, with the credentials of an account: lakemesh bootstrap --verify"
    )
    if declarations.mesh.deployment.github is None and not declarations.mesh.deployment.people:
        typer.echo(
            "\nNobody may deploy yet but the deploying role itself: name a GitHub repository or people under\n"
            "`deployment` in mesh.yaml (docs/declarations.md), and run this again."
        )


# ----------------------------------------------------------------------------------------------------------- accounts
def _verify(declarations: Declarations, chosen: tuple[File, ...] | None, profile: str | None, output: Format) -> None:
    from lakemesh.deploy.bootstrapped import VerificationError, verify

    try:
        part, findings = verify(declarations, profile=profile, expected=chosen[0].part if chosen else None)
    except VerificationError as error:
        _fail(str(error), output)
    wrong = [finding for finding in findings if not finding.ok]
    if output is Format.JSON:
        listed = [{"what": each.what, "ok": each.ok, "text": each.text} for each in findings]
        typer.echo(json.dumps({"part": part, "ok": not wrong, "findings": listed}, indent=2))
    else:
        _tell(part, findings, wrong)
    if wrong:
        raise typer.Exit(1)


def _tell(part: str, findings: list[Finding], wrong: list[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{'ok   ' if finding.ok else 'wrong'}  {finding.what}{'' if finding.ok else ': ' + finding.text}")
    typer.echo(
        f"\n{part} is not complete. Write its template again (lakemesh bootstrap --account {part}) and deploy it."
        if wrong
        else f"\n{part} is complete."
    )


def _fail(text: str, output: Format) -> NoReturn:
    """The end of a command that found something wrong, in the form that was asked for."""
    if output is Format.JSON:
        said: dict[str, Any] = {"ok": False, "error": text}
        typer.echo(json.dumps(said, indent=2))
        raise typer.Exit(1)
    _stop(1, text)


def _stop(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
