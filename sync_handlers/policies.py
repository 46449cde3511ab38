"""Our statements in a resource policy that somebody else owns. Pure.

Ours are those whose `Sid` starts with the mesh's prefix; every other statement, and every other member of the document,
goes through as it came (docs/adr/0004).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync_handlers.errors import EventError, RefusedError

VERSION = "2012-10-17"
BUCKET_BYTES = 20 * 1024
"""Amazon S3 user guide, "bucket-policies": 20 KB."""
KEY_BYTES = 32 * 1024
"""AWS KMS developer guide, "resource-limits": 32 KB."""
_ROOT = re.compile(r"^arn:aws[a-z-]*:iam::(\d{12}):root$")

Statement = Mapping[str, Any]
Prefixes = tuple[str, ...]
"""Sid prefixes that are ours; none is empty."""


@dataclass(frozen=True)
class Merged:
    """A document after the merge; `text` is None when no statement is left."""

    text: str | None
    changed: bool


def merge(existing: str | None, statements: Sequence[Statement], prefixes: Prefixes, where: str, limit: int) -> Merged:
    """Put `statements` in place of those whose Sid starts with one of `prefixes`, and nothing else.

    `existing` is None where there is no policy. Raises RefusedError for a document that is not a policy, or one that
    would be larger than `limit` bytes.
    """
    document = parse(existing, where)
    present = _statements(document, where)
    others = [statement for statement in present if not ours(statement, prefixes)]
    mine = [statement for statement in present if ours(statement, prefixes)]
    if same(mine, statements):
        return Merged(existing, changed=False)
    together = [*others, *statements]
    if not together:
        return Merged(None, changed=True)
    text = json.dumps({**document, "Statement": together}, separators=(",", ":"), ensure_ascii=False)
    size = len(text.encode())
    if size > limit:
        raise RefusedError(
            f"{where}: with the mesh's {len(statements)} statements its policy would have {size:,} bytes, and "
            f"{limit:,} is the limit. Shorten the owner's statements, or set policyStatements: print for this producer "
            "and place them by hand."
        )
    return Merged(text, changed=True)


def parse(text: str | None, where: str) -> dict[str, Any]:
    """The document of a policy, or an empty one; raises RefusedError when it is not one."""
    if text is None:
        return {"Version": VERSION}
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise RefusedError(
            f"{where}: its policy is not a JSON object. Nothing was changed; its owner has to repair it."
        )
    return document


def _statements(document: Mapping[str, Any], where: str) -> list[Statement]:
    """Statements as a list; the grammar allows a single one without brackets (IAM user guide, "policies-grammar")."""
    value = document.get("Statement", [])
    statements = [value] if isinstance(value, dict) else value
    if not isinstance(statements, list) or not all(isinstance(statement, dict) for statement in statements):
        raise RefusedError(
            f"{where}: the `Statement` of its policy is neither an object nor a list of objects. Nothing was changed; "
            "its owner has to repair it."
        )
    return statements


def ours(statement: Statement, prefixes: Prefixes) -> bool:
    return str(statement.get("Sid", "")).startswith(prefixes)


def check(statements: Sequence[Statement], prefix: str, where: str) -> None:
    """Every statement of the event must be found again later: a Sid with the prefix, each once."""
    sids = [statement.get("Sid") for statement in statements]
    foreign = [str(sid) for sid in sids if not isinstance(sid, str) or not sid.startswith(prefix)]
    if foreign:
        raise EventError(f"{where}: statements without a Sid that starts with {prefix!r}: {', '.join(foreign)}.")
    twice = sorted({str(sid) for sid in sids if sids.count(sid) > 1})
    if twice:
        raise EventError(f"{where}: Sids used more than once: {', '.join(twice)}.")


def same(one: Sequence[Statement], other: Sequence[Statement]) -> bool:
    """Whether two lists of statements mean the same: order of statements, lists and keys has no meaning."""
    return _sorted(one) == _sorted(other)


def kept(before: str | None, after: str | None, prefixes: Prefixes, where: str) -> bool:
    """Whether everything that is not ours means the same in both documents."""
    first, second = parse(before, where), parse(after, where)
    theirs = [
        [statement for statement in _statements(document, where) if not ours(statement, prefixes)]
        for document in (first, second)
    ]
    rest = [
        {key: value for key, value in document.items() if key not in {"Statement", "Version"}}
        for document in (first, second)
    ]
    return same(theirs[0], theirs[1]) and rest[0] == rest[1]


def _sorted(statements: Sequence[Statement]) -> list[str]:
    return sorted(json.dumps(_meaning(statement), sort_keys=True, ensure_ascii=False) for statement in statements)


def _meaning(value: Any, key: str = "") -> Any:
    """A statement as AWS reads it: a text is a list of one, and an account id is the ARN of its root.

    AWS stores `"111122223333"` as `arn:aws:iam::111122223333:root` (IAM user guide,
    "reference_policies_elements_principal").
    """
    if isinstance(value, dict):
        return {name: _meaning(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return sorted(str(_leaf(item)) for item in value)
    if key in {"Sid", "Effect"}:
        return value
    return [str(_leaf(value))]


def _leaf(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    root = _ROOT.match(str(value))
    return root[1] if root else str(value)
