"""Lambda `accept_shares`: accept what the central account shares with this one.

Lake Formation makes as many RAM shares as it likes, so every pending invitation to a `LakeFormation…` share from the
central account is accepted until none is left. Inside an organization with RAM sharing there are none. Invitations of
others stay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from sync_handlers import clients, shares
from sync_handlers.budget import Budget
from sync_handlers.errors import IncompleteError, OutOfTimeError, counted, listed
from sync_handlers.events import AcceptEvent, Lifecycle, accept_event
from sync_handlers.observability import logger
from sync_handlers.share_access import ConsumerShares, Shares
from sync_handlers.shares import Invitation

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

T = TypeVar("T")
PASSES = 10
"""Listings until none is pending; an acceptance takes a moment to show."""


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    access = ConsumerShares(clients.ram(), clients.glue())
    return run(accept_event(event), access, Budget(context.get_remaining_time_in_millis))


def run(event: AcceptEvent, access: Shares, budget: Budget) -> dict[str, Any]:
    """Accept, and make sure of database `default`; raises HandlerError when invitations stay open or none can be
    used."""
    if event.deployment.lifecycle is Lifecycle.DELETE:
        # Shares end with central's grants; leaving one would need a new grant to come back.
        return {"accepted": [], "unusable": [], "default": "kept"}
    accepted = _accept_all(event.owner, access, budget)
    unusable = _unusable(event, access)
    created = _explained("database default", access.ensure_default)
    result = {"accepted": sorted(accepted), "unusable": unusable, "default": "created" if created else "present"}
    logger.info("shares accepted", extra={"owner": event.owner, "result": result})
    return result


def _accept_all(owner: str, access: Shares, budget: Budget) -> set[str]:
    accepted: dict[str, str] = {}
    for attempt in range(1, PASSES + 1):
        waiting = shares.pending(_invitations(owner, access))
        if not waiting:
            return set(accepted.values())
        for invitation in waiting:
            budget.spend()
            if invitation.arn not in accepted and _explained(
                f"invitation to share {invitation.name}", partial(access.accept, invitation)
            ):
                accepted[invitation.arn] = invitation.name
        try:
            budget.back_off(attempt)
        except OutOfTimeError:
            break
    open_ = [invitation.name for invitation in shares.pending(_invitations(owner, access))]
    if not open_:
        return set(accepted.values())
    raise IncompleteError(
        f"Still pending of account {owner}: {counted(len(open_), 'invitation')}:\n{listed(open_)}\nRun up again: it "
        "accepts the rest."
    )


def _unusable(event: AcceptEvent, access: Shares) -> list[dict[str, str]]:
    """Invitations that ended without being accepted. Without a single share in force that is a failure, else it is
    reported."""
    lost = shares.lost(_invitations(event.owner, access))
    if not lost:
        return []
    active = _explained("shares", lambda: access.active(event.owner))
    lost = [invitation for invitation in lost if invitation.share not in active]
    if lost and not active:
        raise IncompleteError(
            f"No share of account {event.owner} is in force "
            f"here:\n{listed([shares.mend(invitation) for invitation in lost])}"
        )
    return [{"share": one.name, "status": one.status, "mend": shares.mend(one)} for one in lost]


def _invitations(owner: str, access: Shares) -> list[Invitation]:
    return _explained("invitations", lambda: shares.of_owner(access.invitations(), owner))


def _explained(what: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except ClientError as error:
        raise IncompleteError(f"{what}: {clients.text(error)}. Run up again when it is mended.") from error
