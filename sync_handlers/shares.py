"""Which RAM invitations are ours to accept, and which can no longer be. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = "LakeFormation"
"""Lake Formation names its shares `LakeFormation-V<n>-…` (developer guide, "cross-account-prereqs")."""


@dataclass(frozen=True, order=True)
class Invitation:
    name: str
    """Name of the share."""
    share: str
    """ARN of the share."""
    arn: str
    sender: str
    status: str


def of_owner(invitations: Iterable[Invitation], owner: str) -> list[Invitation]:
    """Invitations to Lake Formation's shares from the central account; everybody else's are none of ours."""
    return sorted(one for one in invitations if one.sender == owner and one.name.startswith(PREFIX))


def pending(invitations: Iterable[Invitation]) -> list[Invitation]:
    return [one for one in invitations if one.status == "PENDING"]


def lost(invitations: Iterable[Invitation]) -> list[Invitation]:
    """Expired or rejected invitations to shares that have no other invitation which was accepted or still can be."""
    every = list(invitations)
    alive = {one.share for one in every if one.status in {"PENDING", "ACCEPTED"}}
    return [one for one in every if one.status in {"EXPIRED", "REJECTED"} and one.share not in alive]


def mend(invitation: Invitation) -> str:
    """What brings an invitation that was not accepted in time back."""
    return (
        f"invitation to {invitation.name} is {invitation.status.lower()}; only a new grant makes a new one: revoke the "
        "mesh's grants to this account in central (remove them from grants/, deploy the domain), declare them again, "
        "deploy the domain, then this consumer"
    )
