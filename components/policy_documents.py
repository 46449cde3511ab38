"""IAM documents as values: statements in, canonical JSON out.

Canonical, so that the same statements never show as a change. No invoke builds them (`aws.iam.get_policy_document`
would need an account at preview).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Statement = Mapping[str, Any]
"""One statement of an IAM document, in IAM's own words."""

MANAGED_POLICY_CHARACTERS: Final = 6144
"""IAM and STS quotas: characters of a customer managed policy, white space not counted."""

INLINE_POLICIES_CHARACTERS: Final = 10240
"""IAM and STS quotas: characters of all inline policies of a role together."""

BUCKET_POLICY_BYTES: Final = 20480
"""S3 user guide, "Bucket policies": bytes of a bucket policy."""


class PolicyTooLargeError(ValueError):
    """A document would exceed a quota of IAM or S3; the text says the remedy."""


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def document(statements: Iterable[Statement]) -> str:
    """The IAM document of some statements."""
    return canonical_json({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, actions: Sequence[str], resources: Sequence[str], condition: Statement | None = None) -> Statement:
    """A statement of an identity policy that allows `actions` on `resources`."""
    statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": sorted(resources)}
    return {**statement, "Condition": condition} if condition else statement


def deny(sid: str, actions: Sequence[str]) -> Statement:
    """A statement that denies `actions` everywhere: no other statement can bring them back."""
    return {"Sid": sid, "Effect": "Deny", "Action": sorted(actions), "Resource": "*"}


def service_trust(service: str, actions: Sequence[str] = ("sts:AssumeRole",)) -> str:
    """Trust policy that lets one AWS service, and nobody else, assume a role."""
    return document([{"Effect": "Allow", "Principal": {"Service": service}, "Action": sorted(actions)}])


def account_root(partition: str, account: str) -> str:
    """The principal that stands for an account."""
    return f"arn:{partition}:iam::{account}:root"


def via_service(service: str, region: str, partition: str) -> str:
    """Value of `kms:ViaService` for one service (AWS KMS developer guide, "kms:ViaService"; China has its own
    domain)."""
    return f"{service}.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"


def pack(
    statements: Sequence[Statement], limit: int = MANAGED_POLICY_CHARACTERS, common: Sequence[str] = ()
) -> list[str]:
    """Documents of at most `limit` characters that together say what `statements` say.

    Resource lists are split between documents, statements keep their order, so a name added at the end leaves the
    documents before it as they were. A statement that names a resource of `common` names it in every document: Glue
    asks for the catalog beside each database.
    """
    documents: list[list[dict[str, Any]]] = [[]]
    for statement in statements:
        kept = [resource for resource in statement["Resource"] if resource in common]
        for resource in statement["Resource"]:
            if resource in kept:
                continue
            if not _add(documents[-1], statement, kept, resource, limit):
                documents.append([])
                if not _add(documents[-1], statement, kept, resource, limit):
                    raise PolicyTooLargeError(f"one statement for {resource} alone exceeds {limit} characters")
    return [document(each) for each in documents if each]


def _add(
    statements: list[dict[str, Any]], statement: Statement, kept: Sequence[str], resource: str, limit: int
) -> bool:
    """Add one resource of a statement to a document, unless the document would then exceed the limit."""
    continued = bool(statements) and statements[-1]["Sid"] == statement["Sid"]
    trial = {**statement, "Resource": [*(statements[-1]["Resource"] if continued else kept), resource]}
    candidate = [*(statements[:-1] if continued else statements), trial]
    if len(document(candidate)) > limit:
        return False
    statements[:] = candidate
    return True
