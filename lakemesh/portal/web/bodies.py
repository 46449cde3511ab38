"""What comes in by forms and JSON, checked for shape; whether it may happen is the service's to say."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lakemesh.declarations.models import Access, Sensitivity
from lakemesh.portal.requests.commands import MOST_WORDS
from lakemesh.portal.requests.model import Ask, Event, Request

Name = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9_.@+/-]+$")]
Words = Annotated[str, StringConstraints(max_length=MOST_WORDS)]
Token = Annotated[str, StringConstraints(min_length=16, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
MOST_COLUMNS: Final = 500
MOST_TABLES: Final = 100


class Body(BaseModel):
    """Strict: a misspelt key is an error, not a request for everything."""

    model_config = ConfigDict(extra="forbid")


class AskBody(Body):
    """What is wanted: a grant's keys (docs/grants.md), as far as a requester chooses them."""

    product: Name = Field(examples=["ar_invoice"])
    to: Name = Field(examples=["finance-analytics/analyst"])
    access: Access = Access.READ
    sensitivity: list[Sensitivity] = Field(default_factory=list, max_length=len(Sensitivity))
    columns: dict[Name, Annotated[list[Name], Field(min_length=1, max_length=MOST_COLUMNS)]] | None = Field(
        default=None, max_length=MOST_TABLES
    )
    """By table of the product; all that the sensitivities cover where it is left out."""
    rows: Words | None = None
    expires: dt.date | None = None
    purpose: Words = ""

    def ask(self) -> Ask:
        """As the service takes it."""
        return Ask(
            product=self.product,
            to=self.to,
            access=self.access,
            sensitivity=tuple(level for level in Sensitivity if level in self.sensitivity),
            columns=self.columns or None,
            rows=(self.rows or "").strip() or None,
            expires=self.expires,
            purpose=self.purpose,
        )


class NewRequest(AskBody):
    """A request to be made. `token`: any random text of the caller's own; sent twice, it makes one request."""

    token: Token
    extends: Name | None = None


class Narrowed(AskBody):
    """Less than was asked."""

    seen: int | None = None


class Seen(Body):
    """Nothing but the last event that the caller has seen: what changed meanwhile is not decided unseen."""

    seen: int | None = None


class Reason(Body):
    """Why."""

    reason: Words


class Question(Body):
    """Asked back."""

    question: Words


class Answer(Body):
    """The requester's answer."""

    answer: Words


class Empty(Body):
    """Nothing to say."""


def request_json(request: Request) -> dict[str, Any]:
    """A request as the API shows it."""
    return {
        "id": request.id,
        "status": str(request.status),
        "requester": request.requester,
        "ask": request.ask.body(),
        "asked": request.asked.body(),
        "approvals": list(request.approvals),
        "needed": request.needed,
        "extends": request.extends,
        "question": request.question,
        "reason": request.reason,
        "ticket": request.ticket,
        "proposal": request.proposal,
        "troubles": {
            name: {"reason": one.reason, "retryAt": _time(one.retry_at)} for name, one in request.troubles.items()
        },
        "submittedAt": _time(request.submitted_at),
        "changedAt": _time(request.changed_at),
        "sequence": request.sequence,
    }


def event_json(event: Event) -> dict[str, Any]:
    """An event as the API and the export show it."""
    return event.body()


def _time(when: dt.datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
