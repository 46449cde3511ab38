"""Resource Access Manager, as far as Lake Formation shares through it.

A grant of Lake Formation to another account or its principals travels in resource shares that it makes itself, named
`LakeFormation-V<version>-…`: one for each recipient and kind of grant (best practices guide, "cross-account-faq": up to
three for named resources and two for LF-Tags). The recipient's account accepts an invitation, which ends after seven
days (RAM user guide, "working-with-shared-invitations"); inside an organization with RAM sharing on there is none
("getting-started-sharing"). Nobody else shares here: CreateResourceShare and its like are refused by name.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.session import get_session

from lakemesh.access.evaluate import account_of
from lakemesh.access.state import (
    ColumnsResource,
    DatabaseResource,
    DataFilterResource,
    Resource,
    TableResource,
    TagPolicyResource,
    TagResource,
)
from local_aws.services import organizations
from local_aws.services.calls import AwsError, Call, on_reset, operation, page

INVITATION_LASTS = dt.timedelta(days=7)
PAGE = 500
Key = tuple[str, str]
"""Recipient (account id or IAM ARN) and kind of grant: what one share is for."""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass
class Invitation:
    arn: str
    sent: dt.datetime
    answer: str = ""

    @property
    def status(self) -> str:
        if self.answer:
            return self.answer
        return "EXPIRED" if now() >= self.sent + INVITATION_LASTS else "PENDING"


@dataclass
class Share:
    arn: str
    name: str
    owner: str
    region: str
    recipient: str
    kind: str
    resources: set[Resource]
    created: dt.datetime
    invitation: Invitation | None
    updated: dt.datetime = field(default_factory=now)

    @property
    def receiver(self) -> str:
        return account_of(self.recipient)

    @property
    def in_force(self) -> bool:
        return self.invitation is None or self.invitation.status == "ACCEPTED"


_shares: dict[str, Share] = {}


@on_reset
def clear() -> None:
    _shares.clear()


# --------------------------------------------------------------------------------------------- for Lake Formation
def kind(resource: Resource) -> str:
    """Which of an account's shares carries a grant on `resource`; "": none, the grant does not travel through RAM."""
    match resource:
        case DatabaseResource():
            return "database"
        case TableResource(table=None):
            return "all tables"
        case TableResource() | ColumnsResource() | DataFilterResource():
            return "table"
        case TagPolicyResource(kind="DATABASE") | TagResource():
            return "LF-Tags, databases"
        case TagPolicyResource():
            return "LF-Tags, tables"
        case _:
            return ""


def reconcile(owner: str, region: str, wanted: Mapping[Key, set[Resource]], version: str) -> None:
    """Make the shares of an account what its grants ask for: invite the new, end what carries nothing any more."""
    actual = {(s.recipient, s.kind): s for s in _shares.values() if (s.owner, s.region) == (owner, region)}
    for key, share in actual.items():
        if key not in wanted:
            del _shares[share.arn]
    for key, resources in wanted.items():
        if not key[1]:
            continue
        found = actual.get(key)
        if found is None:
            _open(owner, region, key, resources, version)
        elif found.resources != resources:
            found.resources, found.updated = set(resources), now()


def _open(owner: str, region: str, key: Key, resources: set[Resource], version: str) -> None:
    base = f"arn:{get_session().get_partition_for_region(region)}:ram:{region}:{owner}"
    identifier, recipient = uuid.uuid4(), key[0]
    name = f"LakeFormation-V{version}-{identifier.hex[:10].upper()}"
    invitation = Invitation(f"{base}:resource-share-invitation/{uuid.uuid4()}", now())
    share = Share(
        f"{base}:resource-share/{identifier}", name, owner, region, recipient, key[1], set(resources), now(),
        None if _together(owner, account_of(recipient)) else invitation,
    )  # fmt: skip
    _shares[share.arn] = share


def _together(owner: str, receiver: str) -> bool:
    """Whether both are in one organization that has sharing with RAM switched on."""
    organization = organizations.of(owner)
    return organization is not None and organization.ram_sharing and receiver in organization.members


def pending(owner: str, region: str) -> set[Key]:
    """What an account shares that its recipients have not accepted."""
    shares = list(_shares.values())
    return {(s.recipient, s.kind) for s in shares if (s.owner, s.region) == (owner, region) and not s.in_force}


def accepted_from(account: str, region: str) -> frozenset[str]:
    """Owners of whom an account has at least one share in force."""
    shares = list(_shares.values())
    return frozenset(s.owner for s in shares if (s.receiver, s.region) == (account, region) and s.in_force)


# ------------------------------------------------------------------------------------------------------- invitations
def _received(call: Call) -> list[Share]:
    mine = [s for s in list(_shares.values()) if s.invitation and (s.receiver, s.region) == (call.account, call.region)]
    return sorted(mine, key=lambda share: (share.created, share.arn))


def _invitation(share: Share) -> dict[str, Any]:
    assert share.invitation is not None  # noqa: S101 - callers hold a share that has one
    return {
        "resourceShareInvitationArn": share.invitation.arn,
        "resourceShareName": share.name,
        "resourceShareArn": share.arn,
        "senderAccountId": share.owner,
        "receiverAccountId": share.receiver,
        "invitationTimestamp": share.invitation.sent,
        "status": share.invitation.status,
    }


@operation("ram", "GetResourceShareInvitations")
def get_invitations(call: Call) -> dict[str, Any]:
    """Invitations that the caller's account received, answered and expired ones too."""
    found = _received(call)
    for name, of in (
        ("resourceShareInvitationArns", "resourceShareInvitationArn"),
        ("resourceShareArns", "resourceShareArn"),
    ):
        if arns := call.params.get(name):
            found = [share for share in found if _invitation(share)[of] in arns]
    items, token = page([_invitation(share) for share in found], call, PAGE, size="maxResults", token="nextToken")  # noqa: S106
    return {"resourceShareInvitations": items, "nextToken": token}


@operation("ram", "AcceptResourceShareInvitation", "RejectResourceShareInvitation", exclusive=True)
def answer_invitation(call: Call) -> dict[str, Any]:
    """Accept or reject, once."""
    arn = call.params["resourceShareInvitationArn"]
    share = next((s for s in _received(call) if s.invitation and s.invitation.arn == arn), None)
    if share is None or share.invitation is None:
        raise AwsError(
            "ResourceShareInvitationArnNotFoundException", f"ResourceShareInvitation {arn} could not be found."
        )
    status = share.invitation.status
    if status != "PENDING":
        how = {"ACCEPTED": "AlreadyAccepted", "REJECTED": "AlreadyRejected"}.get(status, "Expired")
        raise AwsError(f"ResourceShareInvitation{how}Exception", f"ResourceShareInvitation {arn} is {status.lower()}.")
    share.invitation.answer = "ACCEPTED" if call.operation.startswith("Accept") else "REJECTED"
    return {"resourceShareInvitation": _invitation(share)}


# ------------------------------------------------------------------------------------------------------------ shares
def _visible(call: Call) -> list[Share]:
    """SELF: what the caller's account shares; OTHER-ACCOUNTS: what is in force for it."""
    mine = call.params["resourceOwner"] == "SELF"
    found = [
        share
        for share in list(_shares.values())
        if share.region == call.region
        and (share.owner == call.account if mine else share.receiver == call.account and share.in_force)
    ]
    if arns := call.params.get("resourceShareArns"):
        found = [share for share in found if share.arn in arns]
    return sorted(found, key=lambda share: share.name)


def _refuse(call: Call, *modelled: str) -> None:
    if others := sorted(
        call.params.keys() - {*modelled, "nextToken", "maxResults", "resourceOwner", "resourceShareArns"}
    ):
        raise AwsError(
            "NotImplementedByLocalAws", f"NotImplementedByLocalAws: ram.{call.operation} by {others[0]}", 501
        )


@operation("ram", "GetResourceShares")
def get_shares(call: Call) -> dict[str, Any]:
    _refuse(call, "name", "resourceShareStatus")
    found = [share for share in _visible(call) if call.params.get("name") in {None, share.name}]
    if call.params.get("resourceShareStatus") not in {None, "ACTIVE"}:
        found = []
    shares = [
        {
            "resourceShareArn": share.arn,
            "name": share.name,
            "owningAccountId": share.owner,
            "allowExternalPrincipals": True,
            "status": "ACTIVE",
            "creationTime": share.created,
            "lastUpdatedTime": share.updated,
            "featureSet": "STANDARD",
        }
        for share in found
    ]
    items, token = page(shares, call, PAGE, size="maxResults", token="nextToken")  # noqa: S106
    return {"resourceShares": items, "nextToken": token}


def _glue_resource(resource: Resource, region: str) -> tuple[str, str]:
    """(ARN, RAM's resource type) of what a share carries; LF-Tag grants are shared by the catalog."""
    base = f"arn:{get_session().get_partition_for_region(region)}:glue:{region}:{resource.catalog}"
    match resource:
        case DatabaseResource(_, database):
            return f"{base}:database/{database}", "glue:Database"
        case TableResource(_, database, table):
            return f"{base}:table/{database}/{table or '*'}", "glue:Table"
        case ColumnsResource(_, database, table) | DataFilterResource(_, database, table):
            return f"{base}:table/{database}/{table}", "glue:Table"
        case _:
            return f"{base}:catalog", "glue:Catalog"


@operation("ram", "ListResources")
def list_resources(call: Call) -> dict[str, Any]:
    _refuse(call, "resourceType")
    found = {
        (share.arn, *_glue_resource(resource, call.region)): share
        for share in _visible(call)
        for resource in share.resources
    }
    resources = [
        {
            "arn": arn,
            "type": type_,
            "resourceShareArn": share.arn,
            "creationTime": share.created,
            "lastUpdatedTime": share.updated,
            "resourceRegionScope": "REGIONAL",
        }
        for (_, arn, type_), share in sorted(found.items(), key=lambda item: item[0])
        if call.params.get("resourceType") in {None, type_}
    ]
    items, token = page(resources, call, PAGE, size="maxResults", token="nextToken")  # noqa: S106
    return {"resources": items, "nextToken": token}


@operation("ram", "ListResourceSharePermissions")
def list_permissions(call: Call) -> dict[str, Any]:
    """The default RAM permission of each type of resource in a share."""
    arn = call.params["resourceShareArn"]
    share = _shares.get(arn)
    if share is None or (share.owner != call.account and not (share.receiver == call.account and share.in_force)):
        raise AwsError("UnknownResourceException", f"ResourceShare {arn} could not be found.")
    permissions = [
        {
            "arn": f"arn:aws:ram::aws:permission/{name}",
            "version": "1",
            "defaultVersion": True,
            "name": name,
            "resourceType": type_,
            "status": "ASSOCIATED",
            "creationTime": share.created,
            "lastUpdatedTime": share.updated,
        }
        for type_ in sorted({_glue_resource(resource, call.region)[1] for resource in share.resources})
        for name in (f"AWSRAMDefaultPermissionGlue{type_.partition(':')[2]}",)
    ]
    return {"permissions": permissions}
