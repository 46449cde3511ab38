"""Grants that leave the account, and what they must be traced to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.grant import WRITING, Grant
from guardrails.mesh import ACCOUNT_PATH, UNREVIEWED, Given
from guardrails.resource import Resource, account_of_arn, mapping, mappings, text, texts, true
from guardrails.rule import STRINGS, Concern

SHARING: Final = Concern("sharing", "Grants to other accounts")
BY_RULE: Final = "approvals.automatic"
"""In place of an approver: a rule of the mesh, which needs no person for some sensitivities."""
LOOKED_UP: Final = frozenset({"verified", "not looked up"})


@SHARING.resource(
    "confidential-data-never-goes-to-an-account",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Grant straight to the role that reads it, without the grant option.",
    tags=("personal-data",),
    options={
        "values": {
            **STRINGS,
            "description": "Values of sensitivity that accounts may get; public and internal if left out.",
        }
    },
)
def confidential_data_never_goes_to_an_account(resource: Resource, given: Given) -> Iterator[str]:
    """An account is granted public and internal data only; confidential data goes straight to a role.

    Administrators of the account can read, and hand on, whatever the account was granted.

    Good::

        principal="arn:aws:iam::444455556666:role/Controller", {"key": "sensitivity", "values": ["confidential"]}

    Bad::

        principal="444455556666", {"key": "sensitivity", "values": ["confidential"]}
    """
    made = Grant(resource)
    if made.kind != "lfTagPolicy" or not made.to_account:
        return
    allowed = {*given.option("values", ACCOUNT_PATH), UNREVIEWED, "*"}  # the last two are another rule's
    if hidden := sorted(made.expression.get("sensitivity", frozenset()) - allowed):
        yield (
            f"{resource} grants {', '.join(hidden)} data to the account {made.principal}, whose administrators "
            "can read and pass on all of it; grant it to the role that needs it."
        )


@SHARING.resource(
    "accounts-get-exact-tag-policies",
    Severity.HIGH,
    tokens.PERMISSIONS,
    fix="Grant by an LF-Tag expression with the grant option, or straight to a role.",
)
def accounts_get_exact_tag_policies(resource: Resource, _given: Given) -> Iterator[str]:
    """An account gets data by an exact LF-Tag expression that it can pass on, and DESCRIBE by name, and nothing else.

    An account may hand on exactly the expression that it was given, and only with the grant option ("cross-account-
    cascading-permissions"). A wildcard grows by itself, and a table by name goes past the tags of its columns.

    Good::

        aws.lakeformation.Permissions("a", principal="444455556666", permissions=["SELECT"],
            permissions_with_grant_options=["SELECT"], lf_tag_policy={...})

    Bad::

        aws.lakeformation.Permissions("a", principal="444455556666", permissions=["SELECT"],
            table={"database_name": "sales", "name": "customer"})
    """
    made = Grant(resource)
    if not made.to_account or made.kind == "lfTag":
        return
    if made.kind != "lfTagPolicy":
        if made.kind not in {"database", "table"} or (made.held - WRITING) - {"DESCRIBE"}:
            yield (
                f"{resource} grants {', '.join(sorted(made.held))} to the account {made.principal} by name; an "
                "account gets data by an LF-Tag expression only, and by name no more than DESCRIBE."
            )
        return
    if wild := sorted(key for key, values in made.expression.items() if "*" in values and key != "sensitivity"):
        yield (
            f'{resource} grants every value of the LF-Tag "{wild[0]}" to the account {made.principal}, also '
            "those to come; "
            "list the values."
        )
    if stuck := sorted(made.permissions - made.grantable):
        yield (
            f"{resource} grants {', '.join(stuck)} to the account {made.principal} without the grant option, so "
            "nobody in it can be given what it was given."
        )


@SHARING.resource(
    "grants-stay-in-the-mesh",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Grant to a consumer of mesh.yaml, or add the account there first.",
    tags=("least-privilege",),
    needs_manifest=True,
    options={"accounts": {**STRINGS, "description": "Further account ids that grants may go to."}},
)
def grants_stay_in_the_mesh(resource: Resource, given: Given) -> Iterator[str]:
    """Grants go to accounts and roles of the mesh, and to no other organization.

    An account id is twelve digits, and one wrong digit is somebody else's account.

    Good::

        principal="444455556666"  # a consumer of mesh.yaml

    Bad::

        principal="444455556667"
    """
    made = Grant(resource)
    if made.organization and made.organization != given.manifest.organization:
        yield f"{resource} grants to the organization {made.organization}, which is not the one of the mesh."
    account = made.principal_account
    if account is not None and account not in {*given.manifest.accounts, *given.option("accounts")}:
        yield (
            f"{resource} grants to {made.principal}, and account {account} is not part of the mesh; check the "
            "id, or add the account to mesh.yaml."
        )


@SHARING.resource(
    "lf-tag-permissions-stay-in-the-account",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Share data by an LF-Tag expression instead; its recipient needs no permission on the LF-Tags.",
)
def lf_tag_permissions_stay_in_the_account(resource: Resource, _given: Given) -> Iterator[str]:
    """No other account gets DESCRIBE or ASSOCIATE on LF-Tags.

    An account that may describe the values of an LF-Tag can grant its principals any expression over them, also one
    that was never shared with it ("cross-account-cascading-permissions", the second rule).

    Good::

        aws.lakeformation.Permissions("tagger", principal=own_role.arn, permissions=["ASSOCIATE"], lf_tag={...})

    Bad::

        aws.lakeformation.Permissions("tagger", principal="444455556666", permissions=["DESCRIBE"], lf_tag={...})
    """
    made = Grant(resource)
    if made.kind == "lfTag" and made.crosses:
        yield (
            f"{resource} lets {made.principal}, of another account, {' and '.join(sorted(made.held))} the LF-Tag "
            f'"{text(made.on.get("key"))}"; with that it can grant any expression over its values.'
        )


@SHARING.resource(
    "write-permissions-never-cross-accounts",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Grant SELECT or DESCRIBE; whoever owns the data writes it, in their own account.",
    tags=("least-privilege",),
)
def write_permissions_never_cross_accounts(resource: Resource, _given: Given) -> Iterator[str]:
    """What changes data, tables or locations is granted inside the account only.

    The central catalog is a copy: writing through it diverges from the original, and table maintenance through it has
    deleted files of shared Iceberg tables (apache/amoro#4292).

    Good::

        principal="444455556666", permissions=["SELECT"]

    Bad::

        principal="444455556666", permissions=["INSERT", "SELECT"]
    """
    made = Grant(resource)
    if (
        made.kind != "lfTag"
        and (writing := sorted((made.held & WRITING) - {"ALL", "SUPER", "SUPER_USER"}))
        and made.crosses
    ):
        yield f"{resource} grants {', '.join(writing)} to {made.principal}, of another account; grant it to read only."


@SHARING.resource(
    "grants-trace-to-an-approved-request",
    Severity.CRITICAL,
    tokens.PERMISSIONS,
    fix="Add the grant to grants/<domain>.yaml, approved by an approver of the domain, or remove the resource.",
    tags=("accountability",),
    needs_manifest=True,
)
def grants_trace_to_an_approved_request(resource: Resource, given: Given) -> Iterator[str]:
    """Every grant to a consumer traces to a request that an approver of the domain approved and that has not expired.

    Access that is in the cloud and not in the declarations was decided by nobody.

    Good::

        {"id": "invoice-treasury", "product": "invoice", "to": "treasury", "approvedBy": "nadia@acme.example", ...}

    Bad::

        {"id": "invoice-treasury", "product": "invoice", "to": "treasury", "approvedBy": null, ...}
    """
    made = Grant(resource)
    consumer = given.manifest.consumers.get(made.principal_account or "")
    if consumer is None or not _of_the_mesh(made, given):
        return
    asked = [each for each in given.manifest.grants if _covers(each, made, consumer, given)]
    if not asked:
        yield (
            f"{resource} grants {', '.join(sorted(made.held))} to {made.principal} and no grant of the "
            "declarations asks for it; add it to grants/, or remove the resource."
        )
    elif not any(not problem(each, given) for each in asked):
        first = asked[0]
        yield f'{resource} rests on grant "{text(first.get("id"))}", {problem(first, given)}.'


def problem(asked: Mapping[str, Any], given: Given) -> str:
    """Why a grant of the declarations gives nothing today; "" if it does."""
    domain, approvers = text(asked.get("domain")), texts(asked.get("approvedBy"))
    if approvers == [BY_RULE]:
        wide = sorted(set(texts(asked.get("sensitivity"))) - given.manifest.automatic)
        if wide:
            return f"which a rule approved that is not for {', '.join(wide)}"
    elif not any(approvers):
        return "which nobody has approved"
    elif strangers := [each for each in approvers if each not in given.manifest.approvers(domain)]:
        return f'which {strangers[0]} approved, who is no approver of the domain "{domain}"'
    expires = text(asked.get("expires"))
    if expires and dt.date.fromisoformat(expires) <= given.today:
        return f"which expired on {expires}"
    if given.manifest.product_status(text(asked.get("product"))) == "retired":
        return f'whose product "{text(asked.get("product"))}" is retired'
    return ""


def _of_the_mesh(made: Grant, given: Given) -> bool:
    """Whether it is on something of the central catalog that a request decides on."""
    if made.catalog != given.manifest.central:
        return False
    return made.kind in {"lfTagPolicy", "table", "tableWithColumns", "dataCellsFilter", "database"}


def _covers(asked: Mapping[str, Any], made: Grant, consumer: str, given: Given) -> bool:
    """Whether a grant of the declarations asks for what a resource grants."""
    if text(asked.get("to")).split("/")[0] != consumer:
        return False
    if made.to_account and "/" in text(asked.get("to")) and made.kind != "database":
        return False  # asked for one principal, not for the account
    if made.kind == "lfTagPolicy":
        return _expression_asked(asked, made)
    tables = [key for key, table in given.manifest.tables.items() if _about(asked, table)]
    if made.kind == "database":
        return made.held <= {"DESCRIBE"} and made.database in {twin for twin, _ in tables}
    reads = text(asked.get("access")) == "read" or made.held <= {"DESCRIBE"}
    return reads and (made.database, made.table) in tables


def _expression_asked(asked: Mapping[str, Any], made: Grant) -> bool:
    # What is too wide by itself is for the rules that say so, whoever asked for it.
    read = made.expression.get("sensitivity", frozenset()) - {UNREVIEWED, "*"}
    if text(asked.get("access")) != "read" or not read <= set(texts(asked.get("sensitivity"))):
        return False
    wanted: dict[str, frozenset[str]] = (
        {"product": frozenset({text(asked.get("product"))})}
        if asked.get("product")
        else {**_sets(asked.get("tags")), "domain": frozenset({text(asked.get("domain"))})}
    )
    # Narrower than asked is fine: every key that was asked for restricts at least as much.
    return all(made.expression.get(key, frozenset({"*"})) <= values for key, values in wanted.items())


def _sets(value: Any) -> dict[str, frozenset[str]]:
    return {key: frozenset(texts(values)) for key, values in mapping(value).items() if key != "sensitivity"}


def _about(asked: Mapping[str, Any], table: Mapping[str, Any]) -> bool:
    """Whether a grant of the declarations is about a table of a contract."""
    if asked.get("product"):
        return text(table.get("product")) == text(asked.get("product"))
    if text(table.get("domain")) != text(asked.get("domain")):
        return False
    columns = [mapping(each.get("tags")) for each in mappings(table.get("columns"))]
    wanted, own = _sets(asked.get("tags")), mapping(table.get("tags"))
    return any(
        all({**own, **column}.get(key) in values for key, values in wanted.items() if key != "domain")
        for column in [{}, *columns]
    )


@SHARING.resource(
    "approvals-are-verified",
    Severity.HIGH,
    tokens.PERMISSIONS,
    fix="Have the recorded approver review the entry as it stands, in the pull request or in the portal.",
    tags=("accountability",),
    needs_manifest=True,
)
def approvals_are_verified(resource: Resource, given: Given) -> Iterator[str]:
    """The approval of every grant was verified: the approver reviewed this very content.

    Anybody can write a name into a file. `lakemesh check` looks the review up at the git host, or the portal's
    signature over the entry, and says for each grant what it found; an edit after the review makes the grant
    unapproved. Where nobody can be asked it says "not looked up", which is let pass and stands in its report.

    Good::

        {"mesh-is-described": {"approvals": {"invoice-treasury": "verified"}}}

    Bad::

        {"mesh-is-described": {"approvals": {"invoice-treasury": "edited after nadia@acme.example reviewed it"}}}
    """
    found = given.shared.approvals
    made = Grant(resource)
    consumer = given.manifest.consumers.get(made.principal_account or "")
    if found is None or consumer is None or not _of_the_mesh(made, given):
        return
    asked = [each for each in given.manifest.grants if _covers(each, made, consumer, given)]
    said = {text(each.get("id")): text(found.get(text(each.get("id")))) or "nobody looked" for each in asked}
    if said and not LOOKED_UP & set(said.values()):
        name, why = next(iter(said.items()))
        yield f'{resource} rests on grant "{name}", whose approval is not verified: {why}.'


@SHARING.resource(
    "ram-shares-stay-in-the-organization",
    Severity.CRITICAL,
    tokens.RESOURCE_SHARE,
    tokens.SHARE_PRINCIPAL,
    fix="Set allow_external_principals=False, and associate accounts of the mesh or its organization.",
    tags=("least-privilege",),
)
def ram_shares_stay_in_the_organization(resource: Resource, given: Given) -> Iterator[str]:
    """RAM shares admit principals of the organization only.

    A share that admits others can be accepted by any account whose id somebody mistyped.

    Good::

        aws.ram.ResourceShare("tables", allow_external_principals=False)

    Bad::

        aws.ram.ResourceShare("tables", allow_external_principals=True)
    """
    if resource.type == tokens.RESOURCE_SHARE:
        if true(resource.get("allowExternalPrincipals")):
            yield f"{resource} admits principals of other organizations; set allow_external_principals=False."
        return
    principal = text(resource.get("principal"))
    account = account_of_arn(principal)
    if ":organizations:" in principal:
        outside = f"/{given.manifest.organization}" not in principal
    else:
        outside = account is not None and account not in given.manifest.accounts
    if given.known and outside:
        yield (
            f"{resource} shares with {principal}, which is not part of the mesh; check the id, or add it to mesh.yaml."
        )


def tables_asked(asked: Mapping[str, Any], given: Given) -> list[tuple[str, str]]:
    """Tables, by twin and name, that a grant of the declarations is about."""
    return sorted(key for key, table in given.manifest.tables.items() if _about(asked, table))
