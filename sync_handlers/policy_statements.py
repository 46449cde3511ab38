"""Lambda `policy_statements`: put the mesh's statements into bucket and key policies of a producer, or take them out.

It reads, merges by Sid, writes only what differs, and reads back. Every document is merged before the first is written,
so that a refusal leaves all of them as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sync_handlers import clients, policies
from sync_handlers.budget import Budget
from sync_handlers.errors import HandlerError, IncompleteError, listed
from sync_handlers.events import Document, Lifecycle, StatementsEvent, previous_statements, statements_event
from sync_handlers.observability import logger
from sync_handlers.policies import Merged, Statement
from sync_handlers.policy_access import BucketPolicy, GoneError, KeyPolicy, PolicyDocument

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

READS = 5
OpenBucket = Callable[[str], PolicyDocument]
OpenKey = Callable[[str], PolicyDocument]


@dataclass(frozen=True)
class Wish:
    """What one policy should hold of ours; `prefixes` also names the Sids of the deployment before this one."""

    policy: PolicyDocument
    statements: tuple[Statement, ...]
    prefixes: tuple[str, ...]


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    account = context.invoked_function_arn.split(":")[4]
    s3, kms = clients.s3(), clients.kms()
    return run(
        statements_event(event),
        lambda bucket: BucketPolicy(s3, bucket, account),
        lambda key: KeyPolicy(kms, key),
        Budget(context.get_remaining_time_in_millis),
    )


def run(event: StatementsEvent, bucket: OpenBucket, key: OpenKey, budget: Budget) -> dict[str, Any]:
    """Merge every document of the event; raises HandlerError, before any write if the reason is in a document."""
    wishes = [*_wishes(event, "buckets", bucket), *_wishes(event, "keys", key)]
    wishes = [wish for wish in wishes if wish.statements or _there(wish)]
    before = [wish.policy.read() for wish in wishes]
    merged = [_merged(wish, text) for wish, text in zip(wishes, before, strict=True)]
    changed, failures = [], []
    for wish, old, new in zip(wishes, before, merged, strict=True):
        if not new.changed:
            continue
        try:
            wish.policy.write(new.text)
            _verify(wish, old, budget)
        except HandlerError as error:
            failures.append(str(error))
        else:
            changed.append(wish.policy.where)
            logger.info("policy changed", extra={"policy": wish.policy.where, "statements": len(wish.statements)})
    if failures:
        done = f" Changed before that: {', '.join(changed)}." if changed else ""
        raise IncompleteError(
            f"not every policy could be changed:\n{listed(failures)}\nRun up again when mended.{done}"
        )
    return {"changed": changed, "unchanged": [wish.policy.where for wish in wishes if wish.policy.where not in changed]}


def _wishes(event: StatementsEvent, kind: str, access: Callable[[str], PolicyDocument]) -> list[Wish]:
    """One wish a document; those that only the deployment before named get none of ours any more."""
    previous = previous_statements(event)
    old: Sequence[Document] = getattr(previous, kind) if previous else ()
    new: Sequence[Document] = getattr(event, kind)
    removing = event.deployment.lifecycle is Lifecycle.DELETE
    prefixes = tuple(sorted({event.sid_prefix} | ({previous.sid_prefix} if previous else set())))
    wanted = {document.name: () if removing else document.statements for document in new}
    for document in new:
        policies.check(document.statements, event.sid_prefix, document.name)
    names = [*wanted, *(document.name for document in old if document.name not in wanted)]
    return [Wish(access(name), tuple(wanted.get(name, ())), prefixes) for name in names]


def _there(wish: Wish) -> bool:
    """Whether there is something to take statements out of: removing from what is gone has succeeded already."""
    try:
        wish.policy.read()
    except GoneError:
        return False
    return True


def _merged(wish: Wish, text: str | None) -> Merged:
    """The document with ours in it; statements under a Sid prefix that is no longer used go."""
    return policies.merge(text, wish.statements, wish.prefixes, wish.policy.where, wish.policy.limit)


def _verify(wish: Wish, before: str | None, budget: Budget) -> None:
    """Read back until ours show, and make sure that nobody else's statements went missing."""
    for attempt in range(1, READS + 1):
        after = wish.policy.read()
        if not policies.merge(after, wish.statements, wish.prefixes, wish.policy.where, wish.policy.limit).changed:
            if not policies.kept(before, after, wish.prefixes, wish.policy.where):
                raise IncompleteError(
                    f"{wish.policy.where}: somebody else changed its policy while it was merged. Compare it with its "
                    "history, then run up again."
                )
            return
        budget.back_off(attempt)
    raise IncompleteError(f"{wish.policy.where}: read back, its policy does not hold the mesh's statements.")
