"""Service control policies that keep everyone but the mesh's pipeline from what the pipeline decides.

A service control policy allows nothing and binds every principal of the accounts it is attached to, root included; it
does not bind service-linked roles, nor the organization's management account (Organizations user guide, "SCP effects on
permissions"). Exceptions are exact role ARNs: a role of the same name in another account is none. They hold only while
nobody else can change those roles, so the first policy protects them.

Who keeps what:
* Governance account: the deploying role alone decides. Its administrators see all metadata and grant nothing.
* Consumers: the deploying role owns the settings. Its data lake administrators grant and register locally, because a
  consumer may have a lake of its own; of the mesh's data they can pass on what its account was granted, and no more.
* Producers: their settings, grants and policies are their own. A policy for those who may share through the mesh alone
  is written too, to be attached by choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lakemesh.bootstrap.documents import (
    CONTROL_POLICY_CHARACTERS,
    BootstrapError,
    Document,
    Statement,
    deny,
    document,
    readable,
)
from lakemesh.bootstrap.places import Kind, Place, places
from lakemesh.declarations.models import Declarations

SETTINGS: Final = ("lakeformation:PutDataLakeSettings",)
LOCATIONS: Final = (
    "lakeformation:DeregisterResource",
    "lakeformation:RegisterResource",
    "lakeformation:UpdateResource",
)
GRANTS: Final = (
    "lakeformation:BatchGrantPermissions",
    "lakeformation:BatchRevokePermissions",
    "lakeformation:GrantPermissions",
    "lakeformation:RevokePermissions",
)
CATALOG_POLICY: Final = ("glue:DeleteResourcePolicy", "glue:PutResourcePolicy")
CHANGE_SHARES: Final = (
    "ram:AssociateResourceShare",
    "ram:AssociateResourceSharePermission",
    "ram:DeleteResourceShare",
    "ram:DisassociateResourceShare",
    "ram:DisassociateResourceSharePermission",
    "ram:UpdateResourceShare",
)
ANSWER_SHARES: Final = ("ram:AcceptResourceShareInvitation", "ram:RejectResourceShareInvitation")
CHANGE_ROLES: Final = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
)
CHANGE_POLICIES: Final = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
)
LAKE_FORMATION_SHARES: Final = "LakeFormation*"
"""Names of the shares that Lake Formation makes (best practices guide, "cross-account FAQ")."""


@dataclass(frozen=True)
class Guardrail:
    """One service control policy."""

    name: str
    accounts: tuple[str, ...]
    """What it is attached to."""
    purpose: str
    document: Document
    optional: bool = False
    """Whether the organization chooses to attach it."""

    @property
    def file(self) -> str:
        return f"{self.name}.json"


def guardrails(declarations: Declarations) -> tuple[Guardrail, ...]:
    """Every policy, in the order of attachment. Raises BootstrapError where one cannot be made small enough."""
    every = places(declarations)
    central, producers, consumers = ([p for p in every if p.kind is kind] for kind in Kind)
    return (
        *_split("pipeline", every, _pipeline, "Nobody leaves the organization, and nobody else changes its roles."),
        *_split("central", central, _central, "The pipeline alone decides who reads what."),
        *_split("consumers", consumers, _consumers, "The pipeline owns settings and shares; administrators grant."),
        *_split("producers", producers, _producers, "Data is shared through the mesh alone.", optional=True),
    )


def _split(name: str, over: Sequence[Place], make: Any, purpose: str, *, optional: bool = False) -> list[Guardrail]:
    """One policy for all accounts, or as few as fit the quota, in the order of the accounts."""
    groups: list[list[Place]] = []
    for place in over:
        if groups and _fits(make([*groups[-1], place])):
            groups[-1].append(place)
        else:
            groups.append([place])
        if not _fits(make(groups[-1])):
            raise BootstrapError(
                f"{place.part}: its service control policy {name!r} exceeds {CONTROL_POLICY_CHARACTERS} characters. "
                "It names every data lake administrator and platform role: give people one role to assume."
            )
    return [
        Guardrail(
            name if len(groups) == 1 else f"{name}-{number}",
            tuple(place.account for place in group),
            purpose,
            document(make(group)),
            optional,
        )
        for number, group in enumerate(groups, start=1)
    ]


def _fits(statements: Iterable[Statement]) -> bool:
    return len(readable(document(statements))) < CONTROL_POLICY_CHARACTERS


def _unless(arns: Iterable[str], **conditions: Any) -> Statement:
    """Whoever is none of these roles. ArnNotLike, because platform roles may have `*`; exact ARNs match exactly."""
    return {"ArnNotLike": {"aws:PrincipalArn": sorted(set(arns))}, **conditions}


def _deployers(group: Iterable[Place]) -> list[str]:
    return [place.deploy_role_arn for place in group]


def _platform(place: Place) -> list[str]:
    return [place.iam(f"role/{name}", "*") for name in place.mesh.deployment.platform_roles]


def _pipeline(group: Sequence[Place]) -> list[Statement]:
    """For every account: without it, whoever may change a role's trust becomes the pipeline."""
    first = group[0]
    naming = first.naming
    platform = _platform(first)
    made = {first.iam(f"role/{name}", "*") for place in group for name in place.roles}
    own = [naming.boundary, naming.deploy_boundary, naming.deploy_policy(1)[:-1] + "*"]
    deploy_roles = {first.iam(f"role{place.deploy_path}{place.deploy_role}", "*") for place in group}
    return [
        deny("StayInTheOrganization", ["organizations:LeaveOrganization"]),
        deny("DeployingRolesAreThePlatforms", CHANGE_ROLES, deploy_roles, _unless(platform)),
        deny("BoundariesAreThePlatforms", CHANGE_POLICIES, [first.iam(f"policy/{name}", "*") for name in own],
             _unless(platform)),
        deny("RolesOfTheMeshAreThePipelines", CHANGE_ROLES, made, _unless([*platform, *_deployers(group)])),
    ]  # fmt: skip


def _central(group: Sequence[Place]) -> list[Statement]:
    """Everything that opens the central catalog. In every region: the account holds nothing but the mesh."""
    pipeline = _unless(_deployers(group))
    return [
        deny("PipelineDecidesAccess", [*SETTINGS, *LOCATIONS, *GRANTS, *CATALOG_POLICY], condition=pipeline),
        deny(
            "PipelineChangesShares",
            CHANGE_SHARES,
            condition=_unless(_deployers(group), StringLike={"ram:ResourceShareName": LAKE_FORMATION_SHARES}),
        ),
    ]


def _consumers(group: Sequence[Place]) -> list[Statement]:
    """In the mesh's region alone: a consumer's lake elsewhere is its own."""
    first = group[0]
    here = {"StringEquals": {"aws:RequestedRegion": first.mesh.region}}
    deployers = _deployers(group)
    administrators = [
        arn
        for place in group
        if (declared := place.declarations.consumers.get(place.name))
        for arn in declared.administrators
    ]
    acceptors = [place.iam(f"role/{name}") for place in group for name in place.function_roles]
    return [
        deny("PipelineOwnsTheSettings", SETTINGS, condition=_unless(deployers, **here)),
        deny("AdministratorsGrant", [*LOCATIONS, *GRANTS], condition=_unless([*deployers, *administrators], **here)),
        deny("AdministratorsShareTheirOwn", CATALOG_POLICY, condition=_unless(administrators, **here)),
        deny(
            "PipelineAnswersTheMesh",
            ANSWER_SHARES,
            condition=_unless([*deployers, *acceptors], StringEquals={"ram:ShareOwnerAccountId": first.central}),
        ),
        deny(
            "LakeFormationSharesAreAdministrators",
            CHANGE_SHARES,
            condition=_unless(
                [*deployers, *administrators], StringLike={"ram:ResourceShareName": LAKE_FORMATION_SHARES}
            ),
        ),
    ]


def _producers(group: Sequence[Place]) -> list[Statement]:
    """Sharing with other accounts outside the mesh. Grants inside the account stay the producer's: Lake Formation's
    actions do not say to whom."""
    here = {"StringEquals": {"aws:RequestedRegion": group[0].mesh.region}}
    return [
        deny("NoSharingByCatalogPolicy", ["glue:PutResourcePolicy"], condition=_unless(_platform(group[0]), **here)),
        deny(
            "NoSharingByLakeFormation",
            ["ram:AssociateResourceShare", "ram:CreateResourceShare"],
            condition=_unless(
                _platform(group[0]),
                **{
                    "StringEquals": {"aws:RequestedRegion": group[0].mesh.region},
                    "ForAnyValue:StringLike": {"ram:RequestedResourceType": "glue:*"},
                },
            ),
        ),
    ]
