"""Whether the approvals that the declarations record were given, for the policy pack to judge (approvals-are-verified).

A name in a file is no evidence. Evidence is a review on the git host, by the recorded approver, of a commit in which
the entry reads as it reads now, in a pull request that brought it; or a portal's signature over the entry.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from lakemesh.access.approvals import FOLDER, SigningError, approvers, content_digest, why_not_signed
from lakemesh.check.reviews import HostError, Pull, Reviews, of_environment, pull_of_environment
from lakemesh.declarations.levels import Verification
from lakemesh.declarations.models import BY_RULE, Declarations, Grant, Mesh

VERIFIED: Final = "verified"
ON_TRUST: Final = "not looked up"
"""Nobody could be asked, and mesh.yaml does not ask for more."""
_SAFE: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Verdicts:
    """What was found. `by_grant`: by id, "verified", "not looked up" or why not; None: nobody looked."""

    by_grant: Mapping[str, str] | None
    sentence: str


@dataclass(frozen=True)
class _Entry:
    """One grant as it is written."""

    id: str
    domain: str
    approvers: tuple[str, ...]
    digest: str
    grant: Grant


def verify(mesh: Path, declarations: Declarations, host: Reviews | None = None, pull: int | None = None) -> Verdicts:
    """What the host and signatures say of every grant.

    `host`: in place of the one that the environment gives access to; `pull`: number of the pull request that is looked
    at, in place of the environment's. Never raises for what the host does: who cannot be asked has verified nothing.
    """
    settings = declarations.mesh.approvals
    if settings.verification is Verification.OFF:
        return Verdicts(None, "Approvals were not verified: approvals.verification of mesh.yaml is off.")
    entries = [each for domain in sorted(declarations.grants) for each in _entries(mesh, domain, declarations)]
    found = {each.id: _without_host(mesh, each, declarations.mesh) for each in entries}
    open_still = [each for each in entries if found[each.id] != VERIFIED]
    github = declarations.mesh.deployment.github
    host = host or of_environment(github.repository if github else None)
    trouble = "" if host else "there is no GITHUB_TOKEN, and so no git host to ask"
    if host is not None:
        reviewed, trouble = _reviewed(host, mesh, declarations.mesh, open_still, pull)
        found |= {name: why if why == VERIFIED else found[name] or why for name, why in reviewed.items()}
    elif settings.verification is Verification.WHEN_POSSIBLE:
        if not any(found.values()):
            return Verdicts(None, f"Approvals were not verified: {trouble}; the declarations' word was taken.")
        found = {name: why or ON_TRUST for name, why in found.items()}
    return _told({name: why or trouble for name, why in found.items()}, trouble)


def _reviewed(
    host: Reviews, mesh: Path, settings: Mesh, entries: Sequence[_Entry], pull: int | None
) -> tuple[dict[str, str], str]:
    """What reviews say of grants, by id, and why the host could not be asked to the end."""
    said: dict[str, str] = {}
    for domain in sorted({each.domain for each in entries}):
        try:
            asked = _Asked(host, mesh, domain, settings, pull)
            said |= asked.about([each for each in entries if each.domain == domain])
        except HostError as error:
            return {each.id: said.get(each.id, str(error)) for each in entries}, str(error)
    return said, ""


def _told(verdicts: Mapping[str, str], trouble: str) -> Verdicts:
    good = sum(why == VERIFIED for why in verdicts.values())
    trusted = sum(why == ON_TRUST for why in verdicts.values())
    said = [f"Approvals: {good} of {len(verdicts)} verified"]
    said += [f"{trusted} taken at the declarations' word"] if trusted else []
    said += [trouble] if trouble else []
    return Verdicts(verdicts, "; ".join(said) + ".")


def _entries(mesh: Path, domain: str, declarations: Declarations) -> Iterator[_Entry]:
    raw = _grants((mesh / "grants" / f"{domain}.yaml").read_bytes())
    for grant in declarations.grants[domain]:
        if entry := raw.get(grant.id):
            yield _Entry(grant.id, domain, approvers(entry), content_digest(domain, entry), grant)


def _grants(content: bytes) -> dict[str, dict[str, Any]]:
    """Entries of a grants file by id; of what is none, nothing."""
    try:
        document = yaml.load(content, _SAFE)  # noqa: S506 - a safe loader, in C where there is one
    except (yaml.YAMLError, ValueError):
        return {}
    listed = document.get("grants") if isinstance(document, dict) else None
    return {str(each.get("id")): each for each in listed or () if isinstance(each, dict)}


def _without_host(mesh: Path, entry: _Entry, settings: Mesh) -> str | None:
    """What a rule or a signature says of a grant; None where there is neither."""
    if entry.approvers == (BY_RULE,):
        wide = [str(level) for level in entry.grant.sensitivity if level not in settings.approvals.automatic]
        return f"no rule of mesh.yaml approves {', '.join(wide)} without a person" if wide else VERIFIED
    file = mesh / FOLDER / f"{entry.id}.json"
    if not file.is_file():
        return None
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return why_not_signed(document, entry.id, entry.digest, entry.approvers, settings.approvals.signers) or VERIFIED
    except (OSError, ValueError) as error:
        return f"its signed statement {FOLDER}/{file.name} cannot be read ({error})"
    except SigningError as error:
        return str(error)


class _Asked:
    """The host, asked about one domain's grants."""

    def __init__(self, host: Reviews, mesh: Path, domain: str, settings: Mesh, pull: int | None) -> None:
        self._host, self._domain, self._people = host, domain, settings.people
        self._number = pull if pull is not None else pull_of_environment()
        self._path, self._revision = _placed(mesh, f"grants/{domain}.yaml")

    def about(self, entries: Sequence[_Entry]) -> dict[str, str]:
        """What reviews say of grants, by id. Raises HostError."""
        why = {(each.id, person): self._unknown(person) for each in entries for person in each.approvers}
        missing = {key for key, said in why.items() if not said}
        wanted = {each.id: each for each in entries}
        pulls = self._pulls()
        while missing and (pull := next(pulls, None)):
            for name, person in sorted(missing):
                said = self._said(wanted[name], person, pull)
                why[name, person] = said if said == VERIFIED else why[name, person] or said
            missing = {key for key in missing if why[key] != VERIFIED}
        for name, person in missing:
            why[name, person] = why[name, person] or f"{person} approved no pull request that brought this entry"
        return {
            each.id: next(
                (why[each.id, person] for person in each.approvers if why[each.id, person] != VERIFIED),
                VERIFIED if each.approvers else "it names nobody who approved it",
            )
            for each in entries
        }

    def _unknown(self, person: str) -> str:
        return (
            "" if self._login(person) else f"mesh.yaml does not say who {person} is on GitHub (people.<e-mail>.github)"
        )

    def _login(self, person: str) -> str:
        known = {email.casefold(): each.github for email, each in self._people.items()}
        return (known.get(person.casefold()) or "").casefold()

    def _pulls(self) -> Iterator[Pull]:
        """The one that is looked at first, then those that changed the file, the newest first; each once."""
        seen = set()
        if self._number is not None and (own := self._host.pull(self._number)):
            seen.add(own.number)
            yield own
        for commit in self._host.commits(self._path, self._revision):
            for pull in self._host.pulls(commit):
                if pull.number not in seen:
                    seen.add(pull.number)
                    yield pull

    def _said(self, entry: _Entry, person: str, pull: Pull) -> str:
        """What a person said of a grant in a pull request: "verified", why that does not count, or nothing ("")."""
        opinion = self._host.opinions(pull.number).get(self._login(person))
        if opinion is None:
            return ""
        there = self._digest(entry, opinion.commit)
        if opinion.state != "APPROVED":
            done = "was dismissed" if opinion.state == "DISMISSED" else "asks for changes"
            return f"the review by {person} in #{pull.number} {done}" if there else ""
        if self._digest(entry, pull.base) == entry.digest:
            return ""  # It was there before: who approved this pull request was not shown it.
        if there == entry.digest:
            return VERIFIED
        if there:
            return f"it was edited after {person} reviewed it in #{pull.number}"
        gone = self._host.file(self._path, opinion.commit) is None
        return f"the commit that {person} reviewed in #{pull.number} is not there any more" if gone else ""

    def _digest(self, entry: _Entry, commit: str) -> str:
        """Digest of the entry at a commit; "" where it is not there."""
        written = _grants(self._host.file(self._path, commit) or b"").get(entry.id)
        return content_digest(self._domain, written) if written is not None else ""


def _placed(mesh: Path, file: str) -> tuple[str, str]:
    """A file's path from the top of its repository, and the commit that is checked out. Raises HostError."""
    inside = _git(mesh, "rev-parse", "--show-prefix")
    return f"{inside}{file}", _git(mesh, "rev-parse", "HEAD")


def _git(directory: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError as error:
        raise HostError(f"git cannot be run: {error}") from error
    if done.returncode != 0:
        raise HostError(f"{directory} is in no git repository whose reviews could be looked up")
    return done.stdout.strip()
