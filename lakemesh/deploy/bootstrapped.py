"""Roles and policies of bootstrap's templates, in accounts: made where CloudFormation is not there, and verified.

`apply` is what `prepare` does on a local AWS, by the same documents that CloudFormation would get; buckets, keys and
identity providers of a template are no part of it. `verify` reads an account and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lakemesh.bootstrap.documents import Document, Statement
from lakemesh.bootstrap.templates import Template, templates
from lakemesh.declarations.models import Declarations

VERSIONS_KEPT: Final = 5
"""A managed policy has at most five versions (IAM user guide, "IAM and AWS STS quotas")."""


class VerificationError(Exception):
    """An account that cannot be looked at: no credentials, the wrong ones, or not enough permissions."""


@dataclass(frozen=True)
class Finding:
    """One thing that a template makes, and whether the account has it so."""

    what: str
    ok: bool
    text: str = ""


# ------------------------------------------------------------------------------------------------------------ making
def apply(template: Template, iam: Any) -> None:
    """Make the deploying role of a template with its policies and boundaries. Running it again changes nothing."""
    place = template.place
    for name, document in _policies(template).items():
        _put_policy(iam, place.iam(f"policy/{name}"), name, document)
    boundary = place.iam(f"policy/{place.naming.deploy_boundary}")
    _put_role(iam, template, boundary)
    wanted = {place.iam(f"policy/{place.naming.deploy_policy(n + 1)}") for n in range(len(template.policies))}
    attached = _attached(iam, place.deploy_role)
    for arn in sorted(wanted - attached):
        iam.attach_role_policy(RoleName=place.deploy_role, PolicyArn=arn)
    for arn in sorted(attached - wanted):
        iam.detach_role_policy(RoleName=place.deploy_role, PolicyArn=arn)


def granted(template: Template, iam: Any) -> list[Statement]:
    """What the deploying role of a template's account is allowed now, if it is there."""
    if _role(iam, template.place.deploy_role) is None:
        return []
    documents = (_policy(iam, arn) or {} for arn in sorted(_attached(iam, template.place.deploy_role)))
    return [statement for document in documents for statement in document.get("Statement", [])]


def _policies(template: Template) -> dict[str, Document]:
    naming = template.place.naming
    numbered = enumerate(template.policies, start=1)
    return {
        naming.boundary: template.role_boundary,
        naming.deploy_boundary: template.deploy_boundary,
        **{naming.deploy_policy(number): document for number, document in numbered},
    }


def _put_policy(iam: Any, arn: str, name: str, wanted: Document) -> None:
    found = _policy(iam, arn)
    if found is None:
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(wanted))
    elif found != wanted:
        versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        old = sorted((v for v in versions if not v["IsDefaultVersion"]), key=lambda version: version["CreateDate"])
        if len(versions) >= VERSIONS_KEPT:
            iam.delete_policy_version(PolicyArn=arn, VersionId=old[0]["VersionId"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(wanted), SetAsDefault=True)


def _put_role(iam: Any, template: Template, boundary: str) -> None:
    place, trust = template.place, json.dumps(template.trust)
    found = _role(iam, place.deploy_role)
    if found is None:
        iam.create_role(
            RoleName=place.deploy_role,
            Path=place.deploy_path,
            AssumeRolePolicyDocument=trust,
            PermissionsBoundary=boundary,
        )
        return
    if _parsed(found["AssumeRolePolicyDocument"]) != template.trust:
        iam.update_assume_role_policy(RoleName=place.deploy_role, PolicyDocument=trust)
    if found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") != boundary:
        iam.put_role_permissions_boundary(RoleName=place.deploy_role, PermissionsBoundary=boundary)


# --------------------------------------------------------------------------------------------------------- verifying
def verify(
    declarations: Declarations, *, profile: str | None = None, expected: str | None = None
) -> tuple[str, list[Finding]]:
    """Which account the credentials are of, as part of the mesh, and what it has of its template.

    `expected`: the part that it has to be. Raises VerificationError, before anything else is asked, for any other.
    """
    try:
        session = boto3.Session(profile_name=profile, region_name=declarations.mesh.region)
        identity = session.client("sts").get_caller_identity()
        template = _template(declarations, identity["Account"], expected)
        member = _membership(session.client("organizations"), declarations.mesh.organization.id)
        return template.place.part, [member, *_findings(session.client("iam"), template)]
    except ClientError as error:
        detail = error.response.get("Error", {})
        action = f"iam:{error.operation_name}" if error.operation_name != "GetCallerIdentity" else "credentials"
        raise VerificationError(
            f"{error.operation_name} was refused: {detail.get('Code')}: {detail.get('Message')}\n"
            f"Needed: {action} that may read roles and policies (the AWS managed policy IAMReadOnlyAccess is enough, "
            "with organizations:DescribeOrganization)."
        ) from error
    except BotoCoreError as error:
        raise VerificationError(f"No account could be asked: {error}\nSign in, or name a profile: --profile") from error


def _membership(organizations: Any, wanted: str) -> Finding:
    """Whether the account is of the mesh's organization: every trust between accounts has it as a condition.

    Source: Organizations API reference, DescribeOrganization, which any member account may call.
    """
    what = f"organization {wanted}"
    try:
        found = organizations.describe_organization()["Organization"]["Id"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code == "AWSOrganizationsNotInUseException":
            return Finding(what, ok=False, text="the account is in no organization: invite it, or correct mesh.yaml")
        return Finding(what, ok=False, text=f"could not be asked ({code}); needed: organizations:DescribeOrganization")
    text = "" if found == wanted else f"the account is in {found}: move it, or correct organization.id in mesh.yaml"
    return Finding(what, ok=found == wanted, text=text)


def _template(declarations: Declarations, account: str, expected: str | None) -> Template:
    every = templates(declarations)
    wanted = [one for one in every if expected in {None, one.place.part}]
    for one in wanted:
        if one.place.account == account:
            return one
    known = "\n".join(f"    {one.place.account}  {one.place.part}" for one in wanted)
    raise VerificationError(
        f"These are credentials of account {account}, which is not {expected or 'an account of the mesh'}. "
        f"Nothing was asked of it.\nUse those of:\n{known}"
    )


def _findings(iam: Any, template: Template) -> Iterator[Finding]:
    place = template.place
    role = _role(iam, place.deploy_role)
    what = f"role {place.deploy_role}"
    if role is None:
        yield Finding(what, ok=False, text="is not there")
    else:
        yield Finding(what, ok=role["Arn"] == place.deploy_role_arn, text=f"is {role['Arn']}")
        trusts = _parsed(role["AssumeRolePolicyDocument"]) == template.trust
        yield Finding(f"{what}: who may assume it", ok=trusts, text="trusts others than the mesh says")
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        wanted = place.iam(f"policy/{place.naming.deploy_boundary}")
        yield Finding(f"{what}: its boundary", ok=boundary == wanted, text=f"is {boundary or 'not set'}")
        attached = _attached(iam, place.deploy_role)
        numbers = range(1, len(template.policies) + 1)
        those = {place.iam(f"policy/{place.naming.deploy_policy(number)}") for number in numbers}
        said = [f"lacks {arn}" for arn in sorted(those - attached)] + [f"has {arn}" for arn in sorted(attached - those)]
        yield Finding(f"{what}: its policies", ok=not said, text=", ".join(said))
    for name, document in _policies(template).items():
        found = _policy(iam, place.iam(f"policy/{name}"))
        text = "is not there" if found is None else "says something else"
        yield Finding(f"policy {name}", ok=found == document, text=text)


# ----------------------------------------------------------------------------------------------------------- reading
def _role(iam: Any, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return None
    return found


def _policy(iam: Any, arn: str) -> Document | None:
    """The document that is in force; None: there is no such policy."""
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return _parsed(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    except iam.exceptions.NoSuchEntityException:
        return None


def _attached(iam: Any, role: str) -> set[str]:
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}


def _parsed(document: Any) -> Document:
    """boto3 parses what IAM percent-encodes."""
    return dict(json.loads(document) if isinstance(document, str) else document)
