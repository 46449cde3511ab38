"""Data lake settings of an account: who administers it, and what it lets in."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.mesh import Given
from guardrails.resource import Resource, Stack, mapping, mappings, number, text, texts, true
from guardrails.rule import STRINGS, Concern

SETTINGS: Final = Concern("settings", "Data lake settings")
ADMINISTRATORS: Final = 30
"""Lake Formation API, PutDataLakeSettings: administrators of an account."""
CROSS_ACCOUNT_VERSION: Final = 3
"""The first version that shares tag expressions through RAM and grants to roles of other accounts ("optimize-ram")."""


@SETTINGS.stack(
    "one-data-lake-settings-an-account",
    Severity.CRITICAL,
    fix="Keep one resource, with everything that the settings of the account are to say.",
)
def one_data_lake_settings_an_account(stack: Stack, _given: Given) -> Iterator[tuple[Resource, str]]:
    """A stack has one DataLakeSettings for an account and region.

    The settings are one object that each write replaces whole: of two resources the one that is applied last wins, and
    the administrators of the other are gone.

    Good::

        aws.lakeformation.DataLakeSettings("lake", admins=[governance, deploying])

    Bad::

        aws.lakeformation.DataLakeSettings("a", admins=[governance])
        aws.lakeformation.DataLakeSettings("b", admins=[deploying])
    """
    first: dict[tuple[str, ...], Resource] = {}
    for resource, place in stack.read(tokens.SETTINGS, lambda e: (text(e.get("catalogId")) or e.place[0], e.place[1])):
        before = first.setdefault(place, resource)
        if before is not resource:
            yield (
                resource,
                (
                    f"{resource} and {before} both write the data lake settings of one account and region; "
                    "whichever is applied last replaces all of the other."
                ),
            )


@SETTINGS.resource(
    "data-lake-settings-are-kept",
    Severity.HIGH,
    tokens.SETTINGS,
    fix="Add opts=pulumi.ResourceOptions(protect=True, retain_on_delete=True).",
)
def data_lake_settings_are_kept(resource: Resource, _given: Given) -> Iterator[str]:
    """Data lake settings are protected, and retained when their stack goes.

    Deleting the resource empties the administrators and puts the cross-account version back to 1, on which every share
    rests. Pulumi tells a pack about `protect` and not about `retain_on_delete`, so `protect` is what is checked.

    Good::

        aws.lakeformation.DataLakeSettings("lake", ..., opts=ResourceOptions(protect=True, retain_on_delete=True))

    Bad::

        aws.lakeformation.DataLakeSettings("lake", ...)
    """
    if not resource.protect:
        yield (
            f"{resource} is not protected: deleting it would empty the administrators and undo the "
            "cross-account version; give it protect=True and retain_on_delete=True."
        )


@SETTINGS.resource(
    "default-permissions-are-empty",
    Severity.CRITICAL,
    tokens.SETTINGS,
    tokens.DATABASE,
    fix="Leave the default permissions out, and make the settings before the first database.",
    tags=("least-privilege",),
)
def default_permissions_are_empty(resource: Resource, _given: Given) -> Iterator[str]:
    """New databases and tables are open to nobody by default.

    A default for IAM_ALLOWED_PRINCIPALS leaves every new table to IAM alone. Emptying it later changes nothing in what
    was made before (pulumi-aws#4366).

    Good::

        aws.lakeformation.DataLakeSettings("lake", admins=[governance])

    Bad::

        aws.lakeformation.DataLakeSettings("lake", create_table_default_permissions=[
            {"permissions": ["ALL"], "principal": "IAM_ALLOWED_PRINCIPALS"}])
    """
    for key in ("createDatabaseDefaultPermissions", "createTableDefaultPermissions"):
        for entry in mappings(resource.get(key)):
            principal = entry.get("principal")
            who = text(principal) or text(mapping(principal).get("dataLakePrincipalIdentifier"))
            if who and texts(entry.get("permissions")):
                kind = "database" if "Database" in key else "table"
                yield (
                    f"{resource} gives {who} {', '.join(texts(entry.get('permissions')))} on every new "
                    f"{kind}; leave it out."
                )


@SETTINGS.resource(
    "administrators-are-listed",
    Severity.CRITICAL,
    tokens.SETTINGS,
    fix="Add the administrator to the declarations, or take it out of the settings.",
    tags=("least-privilege",),
    options={"administrators": {**STRINGS, "description": "ARNs, or patterns of them, of who may administer a lake."}},
)
def administrators_are_listed(resource: Resource, given: Given) -> Iterator[str]:
    """Every data lake administrator is one that the declarations, or this rule's configuration, list.

    An administrator can grant anything to anybody, themselves included. Where no list is known for the account, nobody
    can be unlisted; the account itself and wildcards are refused everywhere.

    Good::

        admins=["arn:aws:iam::111122223333:role/DataGovernance"]

    Bad::

        admins=["arn:aws:iam::111122223333:root"]
    """
    account = text(resource.get("catalogId")) or resource.account or ""
    listed = [*given.option("administrators"), *given.manifest.administrators.get(account, ())]
    for admin in texts(resource.get("admins")):
        if admin.endswith(":root") or "*" in admin:
            yield f"{resource} makes {admin} administrator, which is more than one role; name the role."
        elif listed and not any(fnmatch.fnmatchcase(admin, pattern) for pattern in listed):
            yield f"{resource} makes {admin} administrator, whom no list of administrators names."


@SETTINGS.resource(
    "at-most-30-administrators",
    Severity.MEDIUM,
    tokens.SETTINGS,
    fix="Administer through a few roles that people assume.",
)
def at_most_30_administrators(resource: Resource, _given: Given) -> Iterator[str]:
    """An account has at most 30 data lake administrators.

    Lake Formation refuses more, and a change that goes over the limit leaves the account with the list of before.

    Good::

        admins=["arn:aws:iam::111122223333:role/DataGovernance"]

    Bad::

        admins=[f"arn:aws:iam::111122223333:user/person-{number}" for number in range(31)]
    """
    if (count := len(texts(resource.get("admins")))) > ADMINISTRATORS:
        yield f"{resource} has {count} administrators, and Lake Formation allows {ADMINISTRATORS}."


@SETTINGS.resource(
    "service-roles-never-administer",
    Severity.CRITICAL,
    tokens.SETTINGS,
    fix="Take the role out of admins; it gets the few permissions that it needs by name.",
    tags=("least-privilege",),
)
def service_roles_never_administer(resource: Resource, given: Given) -> Iterator[str]:
    """Neither the sync role nor the tag role is a data lake administrator.

    They run unattended on what other accounts write into their catalogs; an administrator among them could grant
    everything that they copy.

    Good::

        admins=["arn:aws:iam::111122223333:role/DataGovernance"]

    Bad::

        admins=["arn:aws:iam::111122223333:role/mesh-sync"]
    """
    for admin in texts(resource.get("admins")):
        if given.service_role(admin):
            yield (
                f"{resource} makes the service role {admin} administrator; it copies metadata and must not "
                "decide on access."
            )


@SETTINGS.resource(
    "cross-account-version-is-current",
    Severity.HIGH,
    tokens.SETTINGS,
    fix='Set parameters={"CROSS_ACCOUNT_VERSION": "4"}, and set `minimum` in the rule\'s configuration to what '
    "is deployed.",
    options={
        "minimum": {
            "type": "number",
            "description": "The version that is deployed, which must not be lowered; 3 if left out.",
        }
    },
)
def cross_account_version_is_current(resource: Resource, given: Given) -> Iterator[str]:
    """The cross-account version is set, is at least 3, and is never lowered.

    Parameters that are left out are cleared, which puts the version back to 1. Below 3 an LF-Tag expression cannot be
    granted to a role of another account, and 5 cannot be lowered again. A pack does not see what is deployed: the
    configuration says it.

    Good::

        parameters={"CROSS_ACCOUNT_VERSION": "4"}

    Bad::

        parameters={"SET_CONTEXT": "TRUE"}
    """
    minimum = max(number(given.options.get("minimum")) or 0, CROSS_ACCOUNT_VERSION)
    version = number(mapping(resource.get("parameters")).get("CROSS_ACCOUNT_VERSION"))
    if version is None:
        yield f"{resource} sets no CROSS_ACCOUNT_VERSION, which puts it back to 1; set it to {minimum:.0f} or more."
    elif version < minimum:
        yield f"{resource} sets CROSS_ACCOUNT_VERSION to {version:.0f}; it must not be lower than {minimum:.0f}."


@SETTINGS.resource(
    "full-table-external-access-is-off",
    Severity.CRITICAL,
    tokens.SETTINGS,
    fix="Set allow_full_table_external_data_access=False.",
    tags=("least-privilege",),
)
def full_table_external_access_is_off(resource: Resource, _given: Given) -> Iterator[str]:
    """Engines outside AWS get no credentials for whole tables.

    With them a query engine reads the files themselves, and Lake Formation no longer decides on columns and rows.

    Good::

        allow_full_table_external_data_access=False

    Bad::

        allow_full_table_external_data_access=True
    """
    if true(resource.get("allowFullTableExternalDataAccess")):
        yield (
            f"{resource} lets engines outside AWS read whole tables, past every column and row restriction; "
            "switch it off."
        )


@SETTINGS.resource(
    "external-filtering-only-for-listed-accounts",
    Severity.HIGH,
    tokens.SETTINGS,
    fix="List the accounts in external_data_filtering_allow_lists, each of them of the mesh.",
    options={"accounts": {**STRINGS, "description": "Further account ids whose engines may filter."}},
)
def external_filtering_only_for_listed_accounts(resource: Resource, given: Given) -> Iterator[str]:
    """External data filtering is allowed for listed accounts of the mesh only.

    An engine that filters gets the data unfiltered and is trusted to withhold what Lake Formation says.

    Good::

        allow_external_data_filtering=True, external_data_filtering_allow_lists=["444455556666"]

    Bad::

        allow_external_data_filtering=True
    """
    if not true(resource.get("allowExternalDataFiltering")):
        return
    listed = texts(resource.get("externalDataFilteringAllowLists"))
    if not listed:
        yield f"{resource} lets engines filter data themselves and lists no account whose engines may; list them."
    known = {*given.manifest.accounts, *given.option("accounts")}
    for account in listed:
        if known and account not in known:
            yield (
                f"{resource} lets engines of account {account} filter data themselves, and it is not part of the mesh."
            )


@SETTINGS.resource(
    "consumers-trust-centrals-audit",
    Severity.MEDIUM,
    tokens.SETTINGS,
    fix="Add the governance account to trusted_resource_owners.",
    tags=("accountability",),
    needs_manifest=True,
)
def consumers_trust_centrals_audit(resource: Resource, given: Given) -> Iterator[str]:
    """A consumer's account trusts the governance account as resource owner.

    Otherwise the audit log there shows which account read a table and not who in it.

    Good::

        trusted_resource_owners=["111122223333"]  # the governance account

    Bad::

        trusted_resource_owners=[]
    """
    account = text(resource.get("catalogId")) or resource.account or ""
    central = given.manifest.central
    if account in given.manifest.consumers and central not in texts(resource.get("trustedResourceOwners")):
        yield (
            f"{resource} of consumer {given.manifest.consumers[account]} does not trust the governance account "
            f"{central} as resource owner, so its audit log names this account and not who read; add it to "
            "trusted_resource_owners."
        )
