"""Roles, and what documents let whom do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pulumi_policy import Severity

from guardrails import tokens
from guardrails.documents import Statement, statements
from guardrails.mesh import Given
from guardrails.resource import Resource, Stack, account_of_arn, mappings, text
from guardrails.rule import Concern

ROLES: Final = Concern("roles", "Roles and policies")
NEVER: Final = (
    "lakeformation:GetDataAccess",
    "lakeformation:GrantPermissions",
    "lakeformation:RevokePermissions",
    "lakeformation:PutDataLakeSettings",
    "athena:StartQueryExecution",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
)
"""What the sync role is denied: it owns, with every permission, each table that it creates."""
TAGGING: Final = (
    "lakeformation:addlftagstoresource",
    "lakeformation:removelftagsfromresource",
    "lakeformation:get",
    "lakeformation:list",
    "lakeformation:describe",
    "lakeformation:search",
)
MANAGED_WRITERS: Final = ("AmazonS3FullAccess", "AdministratorAccess", "PowerUserAccess")


def policies_of_roles(
    stack: Stack, trusting: str = "", named: str = ""
) -> Iterator[tuple[str, Resource, list[Statement]]]:
    """What policies of the stack say of some roles: (role, resource that says it, statements).

    The roles that a service assumes, or the one of a name. AWS managed policies that allow everything count as such.
    """
    roles = dict(_roles(stack, trusting, named))
    for resource in roles.values():
        yield from _inline(stack, resource, text(resource.get("name")) or resource.name)
    for resource, (role, said) in stack.read(
        tokens.ROLE_POLICY, lambda each: (text(each.get("role")), statements(each.get("policy")))
    ):
        if role in roles:
            yield role, resource, said
    managed = {
        text(arn): (resource, said)
        for resource, (arn, said) in stack.read(tokens.POLICY, lambda e: (e.get("arn"), statements(e.get("policy"))))
    }
    attached = stack.read(tokens.ROLE_POLICY_ATTACHMENT, lambda e: (text(e.get("role")), text(e.get("policyArn"))))
    for resource, (role, arn) in attached:
        if role in roles and arn in managed:
            yield role, *managed[arn]
        elif role in roles and arn.rsplit("/", 1)[-1] in MANAGED_WRITERS:
            yield role, resource, statements({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def _roles(stack: Stack, trusting: str, named: str) -> Iterator[tuple[str, Resource]]:
    read = stack.read(
        tokens.ROLE, lambda each: (text(each.get("name")) or each.name, statements(each.get("assumeRolePolicy")))
    )
    for resource, (name, trust) in read:
        services = {value for each in trust for kind, value in each.principals if kind == "Service"}
        if (trusting and trusting in services) or (named and name == named):
            yield name, resource


def _inline(stack: Stack, resource: Resource, name: str) -> Iterator[tuple[str, Resource, list[Statement]]]:
    for by, policies in stack.read(tokens.ROLE, lambda each: mappings(each.get("inlinePolicies"))):
        if by.urn == resource.urn:
            for each in policies:
                yield name, resource, statements(each.get("policy"))


@ROLES.resource(
    "reader-roles-trust-the-sync-role-alone",
    Severity.CRITICAL,
    tokens.ROLE,
    fix="Trust the ARN of the sync role with sts:ExternalId and aws:PrincipalOrgID as the manifest has them.",
    tags=("least-privilege",),
    needs_manifest=True,
)
def reader_roles_trust_the_sync_role_alone(resource: Resource, given: Given) -> Iterator[str]:
    """A producer's reader role trusts exactly the sync role, with its external id, from inside the organization.

    A reader role that trusts an account lets everybody there read the producer's catalog; without the external id the
    sync could be made to read one producer for another ("The confused deputy problem").

    Good::

        {"Principal": {"AWS": sync_role_arn}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {
            "sts:ExternalId": "mesh:111122223333:erp", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}

    Bad::

        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}
    """
    producer = _producer_of(resource, given)
    if producer is None:
        return
    for each in statements(resource.get("assumeRolePolicy")):
        if not each.allows:
            continue
        sync = f"arn:{text(given.manifest.document.get('partition')) or 'aws'}:iam::{given.manifest.central}:role/"
        others = [value for _, value in each.principals if value != sync + given.service_role_name("sync")]
        if others or each.anybody_but:
            yield (
                f"{resource} trusts {', '.join(others) or 'everybody but some'}; it trusts the sync role and "
                "nobody else."
            )
        elif set(each.values("sts:ExternalId")) != {text(producer.get("externalId"))}:
            yield f'{resource} does not ask for the external id "{text(producer.get("externalId"))}" (sts:ExternalId).'
        elif set(each.values("aws:PrincipalOrgID")) != {given.manifest.organization}:
            yield f"{resource} does not ask for the organization {given.manifest.organization} (aws:PrincipalOrgID)."


def _producer_of(resource: Resource, given: Given) -> Mapping[str, Any] | None:
    """The producer whose reader role a role is, by its name."""
    name = text(resource.get("name"))
    producers = given.manifest.producers.values()
    return next((each for each in producers if text(each.get("readerRole")).rsplit("/", 1)[-1] == name), None)


@ROLES.resource(
    "trust-across-accounts-has-a-condition",
    Severity.HIGH,
    tokens.ROLE,
    fix="Add a condition on sts:ExternalId, aws:PrincipalOrgID or aws:PrincipalArn to the statement.",
    tags=("least-privilege",),
)
def trust_across_accounts_has_a_condition(resource: Resource, given: Given) -> Iterator[str]:
    """A role that another account may assume asks for an external id, an organization or one exact principal.

    Otherwise whoever makes that account act for them gets in as well ("The confused deputy problem").

    Good::

        {"Principal": {"AWS": "arn:aws:iam::444455556666:root"},
         "Condition": {"StringEquals": {"sts:ExternalId": "mesh"}}}

    Bad::

        {"Principal": {"AWS": "arn:aws:iam::444455556666:root"}}
    """
    if _producer_of(resource, given) is not None:
        return  # reader-roles-trust-the-sync-role-alone asks for more
    for each in statements(resource.get("assumeRolePolicy")):
        whole = [
            value for kind, value in each.principals if kind == "AWS" and (value.endswith(":root") or value.isdigit())
        ]
        accounts = {account_of_arn(value) for value in whole} - {None, resource.account}
        if each.allows and accounts and resource.account and not (each.bound or each.values("sts:ExternalId")):
            yield (
                f"{resource} lets account {min(str(account) for account in accounts)} assume it on no "
                "condition; ask for an external id or the organization."
            )


@ROLES.stack(
    "the-sync-role-is-denied-data-and-grants",
    Severity.CRITICAL,
    fix="Add a statement that denies lakeformation:GetDataAccess, Grant and Revoke, athena:* and s3:* on every "
    "resource.",
    tags=("least-privilege",),
)
def the_sync_role_is_denied_data_and_grants(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """The sync role is denied data access, granting and revoking, Athena and S3.

    Lake Formation gives whoever creates a table every permission on it with grant option, so the sync role could read
    and hand on the whole mesh. Only an explicit denial in IAM contains that.

    Good::

        {"Effect": "Deny", "Resource": "*", "Action": ["lakeformation:GetDataAccess", "lakeformation:GrantPermissions",
            "lakeformation:RevokePermissions", "lakeformation:PutDataLakeSettings", "athena:*", "s3:*"]}

    Bad::

        {"Effect": "Allow", "Action": ["glue:GetTable", "glue:CreateTable"], "Resource": ["..."]}  # and no denial
    """
    name = given.service_role_name("sync")
    roles = dict(_roles(stack, "", name))
    said = [each for _, _, policy in policies_of_roles(stack, named=name) for each in policy]
    if stack.unknown is not None:
        return
    for resource in roles.values():
        denials = [each for each in said if not each.allows and each.everywhere and not each.conditions]
        if free := [action for action in NEVER if not any(each.covers(action) for each in denials)]:
            yield (
                resource,
                (
                    f"{resource} is the sync role, owns the tables it creates and is not denied "
                    f"{', '.join(free)}; deny it explicitly, on every resource."
                ),
            )


@ROLES.resource(
    "service-roles-are-protected",
    Severity.HIGH,
    tokens.ROLE,
    fix="Add opts=pulumi.ResourceOptions(protect=True).",
)
def service_roles_are_protected(resource: Resource, given: Given) -> Iterator[str]:
    """The sync role and the tag role are protected.

    A role that is made again under its name is another principal to Lake Formation: the sync would no longer own the
    tables it created, and could not update them.

    Good::

        aws.iam.Role("sync", name="mesh-sync", ..., opts=pulumi.ResourceOptions(protect=True))

    Bad::

        aws.iam.Role("sync", name="mesh-sync", ...)
    """
    if given.service_role(text(resource.get("name"))) and not resource.protect:
        yield (
            f"{resource} is not protected; made again under its name it would be another principal to Lake "
            "Formation, and own nothing."
        )


@ROLES.stack(
    "the-tag-role-only-tags",
    Severity.HIGH,
    fix="Leave the role lakeformation:AddLFTagsToResource, RemoveLFTagsFromResource and what describes.",
    tags=("least-privilege",),
)
def the_tag_role_only_tags(stack: Stack, given: Given) -> Iterator[tuple[Resource, str]]:
    """Of Lake Formation the tag role may describe and associate LF-Tags, and nothing else.

    It holds permissions on every table with the grant option, which tagging asks for; what it may do with them is for
    IAM to limit.

    Good::

        {"Effect": "Allow", "Action": ["lakeformation:AddLFTagsToResource", "lakeformation:GetResourceLFTags"]}

    Bad::

        {"Effect": "Allow", "Action": ["lakeformation:AddLFTagsToResource", "lakeformation:GrantPermissions"]}
    """
    for role, by, said in policies_of_roles(stack, named=given.service_role_name("tag")):
        actions = [action for each in said if each.allows for action in each.actions]
        if wide := [
            each for each in actions if each.startswith("lakeformation:") and not each.lower().startswith(TAGGING)
        ]:
            yield by, f"{by} lets the tag role {role} {', '.join(wide)}; it may describe and associate LF-Tags only."


@ROLES.resource(
    "policies-name-their-actions",
    Severity.HIGH,
    tokens.POLICY,
    tokens.ROLE_POLICY,
    tokens.USER_POLICY,
    tokens.GROUP_POLICY,
    tokens.ROLE,
    fix="List the actions that are needed.",
    tags=("least-privilege",),
)
def policies_name_their_actions(resource: Resource, _given: Given) -> Iterator[str]:
    """No policy of a role, user or group allows every action, or every action of a service.

    A wildcard also allows what the service learns to do next year.

    Good::

        {"Effect": "Allow", "Action": ["glue:GetTable", "glue:GetTables"], "Resource": ["..."]}

    Bad::

        {"Effect": "Allow", "Action": "glue:*", "Resource": "*"}
    """
    documents = [resource.get("policy"), *(each.get("policy") for each in mappings(resource.get("inlinePolicies")))]
    for each in (each for document in documents for each in statements(document)):
        if not each.allows:
            continue
        if each.not_actions:
            yield f"{resource} allows every action but {', '.join(each.not_actions)}; list the actions that are needed."
        elif wide := [action for action in each.actions if action == "*" or action.endswith(":*")]:
            yield f'{resource} allows "{wide[0]}"; list the actions that are needed.'


@ROLES.resource(
    "policies-name-their-principals",
    Severity.CRITICAL,
    tokens.BUCKET_POLICY,
    tokens.QUEUE,
    tokens.QUEUE_POLICY,
    tokens.TOPIC,
    tokens.TOPIC_POLICY,
    tokens.KEY,
    tokens.KEY_POLICY,
    tokens.CATALOG_POLICY,
    tokens.ROLE,
    tokens.FUNCTION_PERMISSION,
    fix="Name the principals, or add a condition on aws:PrincipalOrgID, aws:SourceArn or aws:PrincipalArn.",
    tags=("least-privilege",),
)
def policies_name_their_principals(resource: Resource, _given: Given) -> Iterator[str]:
    """No policy of a resource lets everybody in without a condition that ties it to somebody.

    A principal "*" is every account there is, and not every principal of one's own.

    Good::

        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}

    Bad::

        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    """
    if resource.type == tokens.FUNCTION_PERMISSION:
        bound = any(resource.given(key) for key in ("sourceArn", "sourceAccount", "principalOrgId"))
        if text(resource.get("principal")) == "*" and not bound:
            yield f"{resource} lets everybody invoke the function; name a principal, a source or the organization."
        return
    document = resource.get("assumeRolePolicy" if resource.type == tokens.ROLE else "policy")
    for each in statements(document):
        if each.allows and each.anybody and not each.bound:
            yield (
                f'{resource} lets everybody {", ".join(each.actions) or "in"} (principal "*"); name the '
                "principals, or ask for "
                "the organization with aws:PrincipalOrgID."
            )
