"""Checks of consumers' files: their account, their roles, and that they assign what they were granted and no more."""

from __future__ import annotations

from collections.abc import Iterator

from lakemesh.declarations.checks_mesh import account_of, partition_problem
from lakemesh.declarations.draft import Draft, Names
from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.models import Assignment, Consumer, Grant
from lakemesh.declarations.yamlfile import Path


# ------------------------------------------------------------------------------------------------------ references
def every_consumer_has_its_file(draft: Draft) -> Iterator[Problem]:
    for name in draft.known.consumers.unknown_of(draft.known.consumer_files):
        hint = did_you_mean(name, draft.known.consumers)
        text = f'Consumer "{name}" is not in {draft.places.mesh_file}.{hint}'
        yield draft.places.problem("unknown-reference", text, draft.places.consumer_file(name))
    for name in sorted(draft.known.consumers.names - draft.known.consumer_files):
        file = draft.places.consumer_file(name)
        text = (
            f'Consumer "{name}" has no file {file}.\nIt names the account\'s principals; create it, or remove the '
            "consumer."
        )
        yield draft.places.problem("missing-file", text, draft.places.mesh_file, "consumers", name)


def assignments_name_what_exists(draft: Draft) -> Iterator[Problem]:
    for name, consumer, index, assignment in _assignments(draft):
        if assignment.grant not in draft.known.grants:
            known = [grant.id for _, _, grant in draft.all_grants() if grant.to == name]
            text = f'There is no grant "{assignment.grant}".{did_you_mean(assignment.grant, known)}'
            yield _at(draft, "unknown-reference", text, name, "assignments", index, "grant")
        known_principals = draft.known.principals.get(name, Names(frozenset(consumer.principals)))
        for position, alias in enumerate(assignment.principals):
            if alias not in known_principals:
                text = f'There is no principal "{alias}" in this file.{did_you_mean(alias, known_principals)}'
                yield _at(draft, "unknown-reference", text, name, "assignments", index, "principals", position)


# ----------------------------------------------------------------------------------------------------------- rules
def assignments_stay_within_their_grants(draft: Draft) -> Iterator[Problem]:
    grants: dict[str, list[tuple[str, Grant]]] = {}
    for domain, _, grant in draft.all_grants():
        grants.setdefault(grant.id, []).append((domain, grant))
    for name, _, index, assignment in _assignments(draft):
        found = grants.get(assignment.grant, [])
        # Where the grant itself is in doubt, there is nothing to measure by.
        if len(found) != 1 or found[0][1].consumer not in draft.known.consumers:
            continue
        domain, grant = found[0]
        if grant.consumer != name:
            text = (
                f'Grant "{grant.id}" is to "{grant.to}", not to this consumer: an account can share what it was '
                "granted and "
                f"nothing else.\nAsk domain {domain} for a grant."
            )
            yield _at(draft, "assignment-beyond-grant", text, name, "assignments", index, "grant")
        elif grant.principal is not None:
            yield _at(draft, "assignment-beyond-grant", _direct(grant), name, "assignments", index, "grant")


def _direct(grant: Grant) -> str:
    return (
        f'Grant "{grant.id}" is to the principal "{grant.principal}" alone, straight from the central account: this '
        "account "
        "cannot share it.\nRemove the assignment; the principal needs none."
    )


def assignments_are_said_once(draft: Draft) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    for name, _, index, assignment in _assignments(draft):
        other = seen.setdefault((name, assignment.grant), index)
        if other != index:
            text = f'Grant "{assignment.grant}" is assigned twice in this file; list all its principals in one place.'
            yield _at(draft, "duplicate-assignment", text, name, "assignments", index, "grant")
        if len(set(assignment.principals)) < len(assignment.principals):
            text = "A principal stands here twice."
            yield _at(draft, "duplicate-value", text, name, "assignments", index, "principals")


def accounts_agree(draft: Draft) -> Iterator[Problem]:
    for name, consumer in _consumers(draft):
        entry = draft.mesh.consumers.get(name) if draft.mesh else None
        if entry is not None and entry.account != consumer.account:
            text = f"{draft.places.mesh_file} says that the account of {name} is {entry.account}."
            yield _at(draft, "wrong-account", text, name, "account")
        roles: list[tuple[str, Path]] = [
            (arn, ("administrators", index)) for index, arn in enumerate(consumer.administrators)
        ]
        roles += [(principal.role, ("principals", alias, "role")) for alias, principal in consumer.principals.items()]
        for arn, path in roles:
            if account_of(arn) != consumer.account:
                text = f"This role is of account {account_of(arn)}, not of this consumer's {consumer.account}."
                yield _at(draft, "wrong-account", text, name, *path)
            yield from partition_problem(draft, arn, draft.places.consumer_file(name), *path)


def principals_are_different_roles(draft: Draft) -> Iterator[Problem]:
    for name, consumer in _consumers(draft):
        first: dict[str, str] = {}
        aliases: dict[str, str] = {}
        for alias, principal in consumer.principals.items():
            other = first.setdefault(principal.role, alias)
            if other != alias:
                text = f'This role is the principal "{other}" already; permissions of a role are one union.'
                yield _at(draft, "duplicate-principal", text, name, "principals", alias, "role")
            same = aliases.setdefault(alias.lower(), alias)
            if same != alias:
                text = f'"{alias}" and "{same}" differ in case only, and so would their workgroups.'
                yield _at(draft, "duplicate-principal", text, name, "principals", alias)


def no_administrator_is_a_principal(draft: Draft) -> Iterator[Problem]:
    """A data lake administrator's implicit permissions cannot be told from granted ones, so nothing could be revoked.

    Source: the AWS provider's documentation of lakeformation.Permissions. The deploying role is an administrator too.
    """
    for name, consumer in _consumers(draft):
        entry = draft.mesh.consumers.get(name) if draft.mesh else None
        deployer = f":role/{entry.deploy_role}" if entry else None
        for alias, principal in consumer.principals.items():
            if principal.role in consumer.administrators or (deployer and principal.role.endswith(deployer)):
                text = (
                    "This role is a data lake administrator of the account: what it is granted could not be told from "
                    "what it may do anyway, nor revoked.\nLet people query with another role."
                )
                yield _at(draft, "administrator-as-principal", text, name, "principals", alias, "role")


def administrators_fit_the_quota(draft: Draft) -> Iterator[Problem]:
    limit = draft.mesh.quotas.administrators if draft.mesh else 0
    for name, consumer in _consumers(draft):
        count = len(set(consumer.administrators)) + 1
        if draft.mesh is not None and count > limit:
            text = f"{count} data lake administrators with the deploying role; Lake Formation takes at most {limit}."
            yield _at(draft, "quota-administrators", text, name, "administrators")


def _consumers(draft: Draft) -> Iterator[tuple[str, Consumer]]:
    for name, read in draft.consumers.items():
        if read.value is not None:
            yield name, read.value


def _assignments(draft: Draft) -> Iterator[tuple[str, Consumer, int, Assignment]]:
    """Every assignment with its consumer and where it stands in the file."""
    for name, read in draft.consumers.items():
        for position, assignment in enumerate(read.value.assignments if read.value else ()):
            if read.value is not None:
                yield name, read.value, read.index(("assignments",), position), assignment


def _at(draft: Draft, rule: str, message: str, consumer: str, *path: str | int) -> Problem:
    return draft.places.problem(rule, message, draft.places.consumer_file(consumer), *path)
