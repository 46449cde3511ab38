"""The only way of `accept_shares` to RAM and to the consumer's own catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from sync_handlers import clients
from sync_handlers.errors import NotDeployedError
from sync_handlers.shares import PREFIX, Invitation

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_ram.client import RAMClient

INVITATIONS_PAGE = 500
# What ends an invitation between listing and accepting; the next listing tells.
_ENDED = frozenset(
    {
        "ResourceShareInvitationAlreadyAcceptedException",
        "ResourceShareInvitationAlreadyRejectedException",
        "ResourceShareInvitationExpiredException",
        "ResourceShareInvitationArnNotFoundException",
    }
)


class Shares(Protocol):
    def invitations(self) -> Iterator[Invitation]: ...
    def accept(self, invitation: Invitation) -> bool: ...
    def active(self, owner: str) -> set[str]: ...
    def ensure_default(self) -> bool: ...


@dataclass(frozen=True)
class ConsumerShares:
    ram: RAMClient
    glue: GlueClient

    def invitations(self) -> Iterator[Invitation]:
        token: str | None = None
        while True:
            extra: Any = {"nextToken": token} if token else {}
            answer = self.ram.get_resource_share_invitations(maxResults=INVITATIONS_PAGE, **extra)
            for one in answer.get("resourceShareInvitations", []):
                yield Invitation(
                    name=one.get("resourceShareName", ""),
                    share=one.get("resourceShareArn", ""),
                    arn=one["resourceShareInvitationArn"],
                    sender=one.get("senderAccountId", ""),
                    status=one.get("status", ""),
                )
            token = answer.get("nextToken")
            if not token:
                return

    def accept(self, invitation: Invitation) -> bool:
        """False when somebody else accepted or rejected it, or it expired, since it was listed."""
        try:
            self.ram.accept_resource_share_invitation(resourceShareInvitationArn=invitation.arn)
        except ClientError as error:
            if clients.code(error) in _ENDED:
                return False
            raise
        return True

    def active(self, owner: str) -> set[str]:
        """ARNs of Lake Formation's shares from `owner` that this account takes part in."""
        found: set[str] = set()
        token: str | None = None
        while True:
            extra: Any = {"nextToken": token} if token else {}
            answer = self.ram.get_resource_shares(
                resourceOwner="OTHER-ACCOUNTS", resourceShareStatus="ACTIVE", maxResults=INVITATIONS_PAGE, **extra
            )
            for share in answer.get("resourceShares", []):
                if share.get("owningAccountId") == owner and share.get("name", "").startswith(PREFIX):
                    found.add(share["resourceShareArn"])
            token = answer.get("nextToken")
            if not token:
                return found

    def ensure_default(self) -> bool:
        """Make sure that database `default` exists; True when it was made.

        Athena asks for it whatever is queried (Athena user guide, "lf-athena-limitations"). It gives nothing away: no
        default permissions for tables made in it.
        """
        try:
            self.glue.get_database(Name="default")
        except ClientError as error:
            # Lake Formation answers AccessDenied for what a caller may not see, existing or not.
            if clients.code(error) != "EntityNotFoundException" and not clients.denied(error):
                raise
        else:
            return False
        try:
            self.glue.create_database(DatabaseInput={"Name": "default", "CreateTableDefaultPermissions": []})
        except ClientError as error:
            if clients.code(error) == "AlreadyExistsException":
                return False
            if clients.denied(error):
                raise NotDeployedError(
                    f"Database default: this function's role may not create it ({clients.text(error)}), and Athena "
                    "asks for it. The role's CREATE_DATABASE on the catalog is made by this consumer's stack: deploy "
                    "it again, or create the database as a data lake administrator."
                ) from error
            raise
        return True
