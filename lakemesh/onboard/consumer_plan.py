"""A consumer's entries in the mesh directory: facts and declarations in, a proposal out. Writes nothing."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from lakemesh.declarations.models import Consumer, ConsumerEntry, Declarations, RoleArn
from lakemesh.declarations.naming import Naming
from lakemesh.onboard.errors import OnboardError
from lakemesh.onboard.facts import ConsumerFacts, RoleFacts
from lakemesh.onboard.producer_plan import MESH, check_account
from lakemesh.onboard.proposal import Draft, Proposal, Refused, tried
from lakemesh.onboard.yamltext import insert, render

QUERIES: Final = ("athena:StartQueryExecution", "glue:GetTable")
"""Who may do one of these reads tables: by Athena, or by Glue itself (EMR, Redshift Spectrum, Glue jobs)."""
_ROLE_ARN: Final[TypeAdapter[str]] = TypeAdapter(RoleArn)
_SSO: Final = re.compile(r"AWSReservedSSO_(?P<name>.+)_[0-9a-f]{16}")


@dataclass(frozen=True)
class WantedConsumer:
    name: str
    account: str
    owner: str = ""
    principals: tuple[str, ...] = ()
    """Patterns of role names; none: the roles whose policies let them query."""


def candidates(facts: ConsumerFacts, patterns: Sequence[str], mine: frozenset[str]) -> list[RoleFacts]:
    """Roles that become principals. `mine`: ARNs that cannot (administrators, roles of the mesh itself)."""
    found = []
    for role in facts.roles:
        if role.arn in mine or role.path.startswith("/aws-service-role/"):
            continue
        if any(fnmatch.fnmatchcase(role.name, pattern) for pattern in patterns) or (not patterns and queries(role)):
            found.append(role)
    return found


def queries(role: RoleFacts) -> bool:
    """Whether a role's policies let it query, by more than a bare `*`: who may do anything is an administrator."""
    return any(
        action != "*" and any(fnmatch.fnmatchcase(wanted.lower(), action.lower()) for wanted in QUERIES)
        for statement in role.statements
        if statement.get("Effect") == "Allow"
        for action in _listed(statement.get("Action"))
    )


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def alias(role: str, taken: Iterable[str]) -> str:
    """A short name for a role: `TreasuryCashDesk` is treasury-cash-desk. Aliases differ in more than case."""
    match = _SSO.fullmatch(role)
    name = match["name"] if match else role
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    stem = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:50].strip("-") or "role"
    used = {one.lower() for one in taken}
    found = stem
    number = 2
    while found in used:
        tail = f"-{number}"
        found, number = f"{stem[: 50 - len(tail)]}{tail}", number + 1
    return found


def own_roles(declarations: Declarations, wanted: WantedConsumer) -> frozenset[str]:
    """Roles of the account that the mesh makes or deploys with."""
    mesh = declarations.mesh
    entry = mesh.consumers.get(wanted.name) or ConsumerEntry(account=wanted.account, owner=wanted.owner or "new")
    naming = Naming(mesh.model_copy(update={"consumers": {**mesh.consumers, wanted.name: entry}}))
    names = (entry.deploy_role, naming.shares_role(wanted.name))
    return frozenset(naming.role_arn(wanted.account, name) for name in names)


def plan_consumer(
    directory: Path, declarations: Declarations, facts: ConsumerFacts, wanted: WantedConsumer,
    chosen: Sequence[RoleFacts] | None = None,
) -> Proposal:  # fmt: skip
    """Everything that onboarding this consumer writes and says; `chosen` are its principals (default: candidates).

    Raises OnboardError where something must be said first, or where the mesh would not be valid with the entries.
    """
    check_account(declarations.mesh, "consumer", wanted.name, wanted.account)
    mine = own_roles(declarations, wanted)
    administrators, refused = _administrators(facts, mine)
    roles = candidates(facts, wanted.principals, mine | set(administrators)) if chosen is None else list(chosen)
    draft, proposal = Draft(directory), Proposal(refused=refused)
    proposal.refused += _refused_patterns(facts, wanted, mine | set(administrators))
    usable = []
    for role in roles:
        if _is_role(role.arn):
            usable.append(role)
        else:
            proposal.refused.append(
                Refused(f"role {role.arn}", "its name or path has characters that mean more in policies")
            )
    _entry(draft, proposal, declarations, wanted)
    _file(draft, proposal, declarations.consumers.get(wanted.name), wanted, administrators, usable)
    proposal.notes += _notes(facts, declarations, administrators)
    proposal.changes = draft.changes()
    tried(directory, proposal.changes)
    return proposal


def _is_role(arn: str) -> bool:
    """Whether a principal of a declaration can have this ARN."""
    try:
        _ROLE_ARN.validate_python(arn)
    except ValidationError:
        return False
    return True


def _administrators(facts: ConsumerFacts, mine: frozenset[str]) -> tuple[list[str], list[Refused]]:
    """Data lake administrators that the mesh can keep; the role that deploys is one in any case."""
    kept, refused = [], []
    for arn in facts.administrators:
        if arn in mine:
            continue
        if _is_role(arn) and arn.split(":")[4] == facts.account:
            kept.append(arn)
        else:
            refused.append(
                Refused(
                    f"data lake administrator {arn}",
                    "administrators of the mesh are roles of the account, and its stack sets the whole list",
                    "Give whoever that is a role, and list it under `administrators`; otherwise it loses the right.",
                )
            )
    return kept, refused


def _refused_patterns(facts: ConsumerFacts, wanted: WantedConsumer, mine: frozenset[str]) -> list[Refused]:
    """Roles that were asked for and cannot be, patterns that nothing fits."""
    found = []
    for pattern in wanted.principals:
        fit = [role for role in facts.roles if fnmatch.fnmatchcase(role.name, pattern)]
        if not fit:
            found.append(Refused(f"principal {pattern}", "no role of the account has such a name"))
        found += [
            Refused(
                f"role {role.name}",
                "it administers the account's data lake, or belongs to the mesh: Lake Formation cannot tell what an "
                "administrator was granted from what it may do anyway",
                "Query under another role, or take it off the administrators.",
            )
            for role in fit
            if role.arn in mine
        ]
    return found


def _entry(draft: Draft, proposal: Proposal, declarations: Declarations, wanted: WantedConsumer) -> None:
    if wanted.name in declarations.mesh.consumers:
        return
    if not wanted.owner:
        raise OnboardError(f"Who answers for consumer {wanted.name}? Say so with --owner, as @org/team.")
    entry = {wanted.name: {"account": wanted.account, "owner": wanted.owner}}
    draft.put(MESH, insert(draft.text(MESH) or "", ("consumers",), entry))
    proposal.done.append(f"consumer {wanted.name}")


def _file(
    draft: Draft, proposal: Proposal, existing: Consumer | None, wanted: WantedConsumer,
    administrators: Sequence[str], roles: Sequence[RoleFacts],
) -> None:  # fmt: skip
    """consumers/<name>.yaml: a new one, or what an existing one lacks."""
    file = f"consumers/{wanted.name}.yaml"
    known = {one.role: name for name, one in existing.principals.items()} if existing else {}
    taken = list(existing.principals) if existing else []
    principals: dict[str, Mapping[str, str]] = {}
    for role in roles:
        if role.arn not in known:
            name = alias(role.name, (*taken, *principals))
            principals[name] = {"role": role.arn}
    missing = [arn for arn in administrators if existing is None or arn not in existing.administrators]
    if existing is None:
        value: dict[str, Any] = {
            "account": wanted.account,
            "administrators": missing,
            "principals": principals,
            "assignments": [],
        }
        draft.put(file, _HEAD.format(name=wanted.name) + render(value))
        proposal.done.append(
            f"{file}: principals {', '.join(principals) or 'none'}, administrators {', '.join(missing) or 'none'}"
        )
        return
    # Whoever is a principal here was made one by a person, administrator or not: it is not made both.
    missing = [arn for arn in missing if arn not in known]
    if missing:
        draft.put(file, insert(draft.text(file) or "", ("administrators",), missing))
        proposal.done.append(f"{file}: administrators {', '.join(missing)}")
    if principals:
        draft.put(file, insert(draft.text(file) or "", ("principals",), principals))
        proposal.done.append(f"{file}: principals {', '.join(principals)}")


_HEAD: Final = """\
# The consumer {name}: its principals, and which of them use what its account was granted. Written by
# `lakemesh onboard`, and yours from now on. An assignment names a grant to this consumer:
# {{grant: <id>, principals: [<alias>]}}.
"""


def _notes(facts: ConsumerFacts, declarations: Declarations, administrators: Sequence[str]) -> list[str]:
    central = declarations.mesh.central.account
    notes = [
        "The consumer's stack owns the account's data lake settings: administrators become the role that deploys"
        + (f", {', '.join(administrators)}" if administrators else "")
        + f"; trusted resource owners become {central} alone."
    ]
    if facts.open_by_default:
        notes.append(
            "New databases and tables of this account are left to IAM today; the consumer's stack ends that. Existing "
            "ones stay as they are."
        )
    others = sorted(set(facts.trusted_owners) - {central})
    if others:
        notes.append(f"Trusted resource owners that the consumer's stack takes out: {', '.join(others)}.")
    twins = {source.twin_name for domain in declarations.mesh.domains.values() for source in domain.sources}
    notes += [
        f"Database {name} is there already, and a resource link would carry that name. Rename it, or give the source "
        "another twin, before this consumer is granted anything of it."
        for name in sorted(twins & facts.databases.keys())
        if facts.databases[name] != central
    ]
    return notes
