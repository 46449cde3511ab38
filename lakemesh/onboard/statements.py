"""What the producer's existing policies get, computed from the components themselves; and what in them may object."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from components.policy_statements import bucket_documents, key_documents
from components.producer_account import key_uses
from lakemesh.declarations.models import Declarations
from lakemesh.deploy.arguments import Arguments, Options
from lakemesh.onboard.documents import statements
from lakemesh.onboard.facts import ProducerFacts
from lakemesh.onboard.proposal import Merge
from sync_handlers import policies
from sync_handlers.errors import RefusedError


def merges(declarations: Declarations, producer: str, facts: ProducerFacts) -> list[Merge]:
    """One a policy that the producer's stack will merge into (or print), with what comes of it."""
    args = Arguments(declarations, Options(), dt.datetime.now(dt.UTC).date()).producer(producer)
    prefix = args["sid_prefix"]
    keys = {bucket.key.arn: bucket.key.policy for bucket in facts.buckets.values() if bucket.key}
    if facts.catalog_key:
        keys[facts.catalog_key.arn] = facts.catalog_key.policy
    found = []
    for document in bucket_documents(args["buckets"], args["central_account"], args["partition"], prefix):
        name = str(document["bucket"])
        existing = facts.buckets[name].policy if name in facts.buckets else None
        found.append(_merge(f"bucket {name}", existing, document["statements"], prefix, policies.BUCKET_BYTES))
    for document in key_documents(key_uses(args), args["region"], args["partition"], prefix):
        arn = str(document["key"])
        found.append(_merge(f"key {arn}", keys.get(arn), document["statements"], prefix, policies.KEY_BYTES))
    return found


def _merge(where: str, existing: str | None, wanted: list[dict[str, Any]], prefix: str, limit: int) -> Merge:
    try:
        merged = policies.merge(existing, wanted, (prefix,), where, limit)
    except RefusedError as error:
        return Merge(where, tuple(wanted), "refused", str(error))
    return Merge(where, tuple(wanted), "to add" if merged.changed else "present")


def denies(facts: ProducerFacts) -> Iterator[str]:
    """Denies that may cover the mesh as well: no allow overrules them, and only their owner knows what they mean."""
    documents = {f"bucket {name}": bucket.policy for name, bucket in sorted(facts.buckets.items())}
    documents |= {f"key {b.key.arn}": b.key.policy for b in facts.buckets.values() if b.key}
    if facts.catalog_key:
        documents[f"key {facts.catalog_key.arn}"] = facts.catalog_key.policy
    documents["the catalog"] = facts.catalog_policy
    for where, text in documents.items():
        for number, statement in enumerate(statements(text or ""), start=1):
            if statement.get("Effect") == "Deny" and not _is_about_transport(statement):
                name = statement.get("Sid") or f"statement {number}"
                yield (
                    f"The policy of {where} denies something ({name}). Make sure that it leaves the mesh's roles out: "
                    "no allow overrules it."
                )


def _is_about_transport(statement: Mapping[str, Any]) -> bool:
    """Refusing what is not encrypted on its way, or not encrypted when written, stops no reader."""
    keys = {str(key).lower() for test in (statement.get("Condition") or {}).values() for key in test}
    return bool(keys) and all(
        key in {"aws:securetransport", "s3:tlsversion"} or key.startswith("s3:x-amz-server-side-encryption")
        for key in keys
    )
