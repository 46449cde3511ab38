"""The grant that an approved request becomes, in the mesh's own words (docs/grants.md). Pure."""

from __future__ import annotations

from typing import Any, Final

from lakemesh.declarations.models import BY_RULE, Access
from lakemesh.portal.requests.model import Request

NO_TICKET: Final = "none"
"""`ticket` while there is none yet."""


def entry(request: Request) -> dict[str, Any]:
    """Keys and values of the grant. Raises ValueError for a request that is not approved."""
    if request.approved_at is None:
        raise ValueError(f"request {request.id} is not approved")
    ask = request.ask
    approvers = list(request.approvals) if request.needed else [BY_RULE]
    values: dict[str, Any] = {
        "id": request.grant_id,
        "product": ask.product,
        "to": ask.to,
        "access": str(ask.access),
        "sensitivity": [str(level) for level in ask.sensitivity] if ask.access is Access.READ else None,
        "columns": ask.columns,
        "rows": ask.rows,
        "purpose": ask.purpose,
        "requestedBy": request.requester,
        "approvedBy": approvers if len(approvers) > 1 else approvers[0],
        "approvedAt": request.approved_at.date(),
        "ticket": request.ticket or NO_TICKET,
        "expires": ask.expires,
    }
    return {key: value for key, value in values.items() if value not in (None, [])}
