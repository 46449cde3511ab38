"""IAM policy documents: does a set of statements allow, deny, or say nothing about a request?

Sources (IAM user guide): "Policy evaluation logic", "IAM JSON policy elements: Condition operators", "Global condition
context keys", "Creating a condition with multiple keys or values", "Policy variables".

What it cannot know it does not flatter: an Allow whose condition uses an unknown key or operator does not match, such a
Deny does, and both are logged.
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Any

from local_aws.services.identity import Identity

log = logging.getLogger(__name__)

Value = str | tuple[str, ...]

KNOWN_KEYS = frozenset({
    "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principaltype",
    "aws:principalisawsservice", "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:requestedregion",
    "aws:securetransport", "aws:userid", "aws:resourceaccount", "aws:viaawsservice", "aws:calledvia",
    "aws:sourcevpce", "aws:sourcevpc", "aws:username", "sts:externalid", "sts:rolesessionname", "s3:prefix",
    "s3:delimiter", "kms:viaservice", "kms:calleraccount", "kms:grantisforawsresource", "ram:resourcesharename",
    "ram:shareowneraccountid", "iam:passedtoservice", "events:source", "events:detail-type", "lambda:functionarn",
    "s3:x-amz-server-side-encryption", "s3:x-amz-acl", "iam:permissionsboundary", "iam:policyarn",
    "cloudwatch:namespace", "kms:resourcealiases", "ram:requestedresourcetype", "ram:permissionarn",
})  # fmt: skip
"""Condition keys this evaluator can judge, lower-cased; one that a request does not carry is absent, not unknown."""
KNOWN_PREFIXES = ("aws:requesttag/", "aws:resourcetag/")
"""Condition keys with a tag's name in them."""


@unique
class Decision(Enum):
    """What a set of policies says; for a resource's policy an allow names the caller itself or only its account."""

    DENY = "explicit deny"
    ALLOW = "allow"
    ALLOW_ACCOUNT = "allow to the account"
    SILENT = "no statement"


@dataclass(frozen=True)
class Request:
    """What is asked: `action` as in "glue:GetTable", one `resource` ARN, the condition `context` (keys lower-case)."""

    action: str
    resource: str
    context: Mapping[str, Value] = field(default_factory=dict)


def _values(value: Any) -> tuple[str, ...]:
    members = value if isinstance(value, list | tuple) else [value]
    return tuple(str(member).lower() if isinstance(member, bool) else str(member) for member in members)


@functools.lru_cache(maxsize=4096)
def _pattern(glob: str, ignore_case: bool) -> re.Pattern[str]:
    text = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in glob)
    return re.compile(text, (re.IGNORECASE if ignore_case else 0) | re.DOTALL)


def matches(glob: str, text: str, *, ignore_case: bool = False) -> bool:
    """IAM's wildcards: `*` any characters, `?` one."""
    return _pattern(glob, ignore_case).fullmatch(text) is not None


def _arn_matches(glob: str, text: str) -> bool:
    """ARN operators compare the six colon-delimited parts one by one, each of which may hold wildcards."""
    wanted, actual = glob.split(":", 5), text.split(":", 5)
    return len(wanted) == len(actual) == 6 and all(map(matches, wanted, actual))  # fmt: skip


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "stringequals": lambda want, got: want == got,
    "stringequalsignorecase": lambda want, got: want.lower() == got.lower(),
    "stringlike": matches,
    "arnequals": _arn_matches,
    "arnlike": _arn_matches,
    "bool": lambda want, got: want.lower() == got.lower(),
}


class _UnknownConditionError(Exception):
    """A condition that cannot be judged."""


def _substitute(text: str, context: Mapping[str, Value]) -> str:
    def variable(match: re.Match[str]) -> str:
        value = context.get(match[1].lower())
        return value if isinstance(value, str) else match[0]

    return re.sub(r"\$\{([\w:/-]+)\}", variable, text) if "${" in text else text


def _test(operator: str, key: str, wanted: tuple[str, ...], context: Mapping[str, Value]) -> bool:
    """One key of one operator. Raises `_UnknownConditionError`."""
    quantifier, _, name = operator.rpartition(":")
    name = name.lower()
    if key.lower() not in KNOWN_KEYS and not key.lower().startswith(KNOWN_PREFIXES):
        raise _UnknownConditionError(f"condition key {key}")
    value = context.get(key.lower())
    if name == "null":
        return (value is None) == (wanted[0] == "true")
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    # StringNotEquals, ArnNotLike and so on: true where the positive form is false, also for an absent key.
    positive = re.sub(r"^(string|arn)not", r"\1", name)
    negated = positive != name
    compare = _OPERATORS.get(positive)
    if compare is None or quantifier.lower() not in {"", "foranyvalue", "forallvalues"}:
        raise _UnknownConditionError(f"condition operator {operator}")
    if value is None:
        return if_exists or negated or quantifier.lower() == "forallvalues"
    globs = [_substitute(glob, context) for glob in wanted]
    hits = [any(compare(glob, got) for glob in globs) != negated for got in _values(value)]
    return any(hits) if quantifier.lower() == "foranyvalue" else all(hits)


def _conditions_hold(statement: Mapping[str, Any], request: Request) -> bool:
    try:
        return all(
            _test(operator, key, _values(wanted), request.context)
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, wanted in keys.items()
        )
    except _UnknownConditionError as unknown:
        deny = statement.get("Effect") == "Deny"
        log.warning(
            "%s is not modelled: this %s statement is taken to %s (%s on %s)",
            unknown, statement.get("Effect"), "match" if deny else "not match", request.action, request.resource,
        )  # fmt: skip
        return deny


def _names(statement: Mapping[str, Any], element: str, text: str, context: Mapping[str, Value], *, fold: bool) -> bool:
    """Whether `Action`/`NotAction`/`Resource`/`NotResource` covers `text`; a missing element covers everything."""
    for key, expected in ((element, True), (f"Not{element}", False)):
        if key in statement:
            globs = _values(statement[key])
            return any(matches(_substitute(glob, context), text, ignore_case=fold) for glob in globs) == expected
    return True


def _principal(statement: Mapping[str, Any], caller: Identity | str) -> Decision:
    """Whether a resource policy's statement names the caller: an identity, or a service ("events.amazonaws.com")."""
    principal = statement.get("Principal")
    if principal is None:
        # NotPrincipal: not judged, so an Allow of it never matches and a Deny always does.
        return Decision.ALLOW if statement.get("Effect") == "Deny" else Decision.SILENT
    if principal == "*":
        return Decision.ALLOW
    if isinstance(caller, str):
        return Decision.ALLOW if caller in _values(principal.get("Service", ())) else Decision.SILENT
    named = set(_values(principal.get("AWS", ())))
    if "*" in named or named & caller.arns:
        return Decision.ALLOW
    if named & {caller.account, f"arn:aws:iam::{caller.account}:root"}:
        return Decision.ALLOW if statement.get("Effect") == "Deny" else Decision.ALLOW_ACCOUNT
    return Decision.SILENT


def parse(document: str | Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """The statements of a policy document; none for no document. Raises ValueError on what is not JSON."""
    if not document:
        return []
    loaded = _load(document) if isinstance(document, str) else document
    statements = loaded.get("Statement", [])
    return [statements] if isinstance(statements, Mapping) else list(statements)


@functools.lru_cache(maxsize=512)
def _load(document: str) -> Mapping[str, Any]:
    loaded = json.loads(document)
    if not isinstance(loaded, dict):
        raise ValueError("a policy document is a JSON object")  # noqa: TRY004 - its text is wrong, not its type
    return loaded


def decide(statements: Iterable[Mapping[str, Any]], request: Request, caller: Identity | str | None = None) -> Decision:
    """What the statements say. `caller` for a resource's policy (`Principal` is looked at), None for an identity's."""
    decision = Decision.SILENT
    for statement in statements:
        who = Decision.ALLOW if caller is None else _principal(statement, caller)
        if (
            who is Decision.SILENT
            or not _names(statement, "Action", request.action, request.context, fold=True)
            or not _names(statement, "Resource", request.resource, request.context, fold=False)
            or not _conditions_hold(statement, request)
        ):
            continue
        if statement.get("Effect") == "Deny":
            return Decision.DENY
        if decision is not Decision.ALLOW:
            decision = who
    return decision
