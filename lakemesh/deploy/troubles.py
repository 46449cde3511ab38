"""What to do about what AWS and Pulumi refuse, from the words in which they do."""

from __future__ import annotations

import json
import re

_DENIED = re.compile(
    r"User: (?P<who>\S+) is not authorized to perform: (?P<action>[\w-]+:\w+)"
    r"(?: on resource: (?P<resource>[^\s,;]+?))?(?=[\s,;.]|$)",
)
_EXPIRED = re.compile(
    r"ExpiredToken|RequestExpired|security token included in the request is expired|token has expired|SSO session"
    r"|credentials have expired",
    re.IGNORECASE,
)
_LAKE_FORMATION = re.compile(r"Insufficient Lake Formation permission\(s\):? ?(?P<what>[^\n]*)")
_EXPLICIT = "explicit deny"


def mend(text: str) -> str | None:
    """What to change so that this error does not come again; None: the error says it itself."""
    denied = _DENIED.search(text)
    if denied:
        return _allow(denied["who"], denied["action"], denied["resource"] or "*", refused=_EXPLICIT in text)
    if _EXPIRED.search(text):
        return (
            "    The credentials have expired. What was deployed is kept and remembered: sign in again and run the "
            "same command, it goes on where it stopped."
        )
    lacking = _LAKE_FORMATION.search(text)
    if lacking:
        return (
            "    IAM allowed the call and Lake Formation refused it. Either the deploying role is no data lake "
            "administrator of that account: stacks central and consumer-<c> make it one. Or it passes on what the "
            "account was not granted with grant option: deploy the domain whose grant it is, then this stack again."
        )
    return None


def _allow(who: str, action: str, resource: str, *, refused: bool) -> str:
    """The statement that is missing; a role's session stands for the role."""
    role = who.replace(":sts:", ":iam:").replace(":assumed-role/", ":role/")
    role = role.rpartition("/")[0] if ":assumed-role/" in who else role
    if refused:
        return (
            f"    {role} is denied {action} explicitly: by one of its policies, its permission boundary or a service "
            "control policy. Adding a statement that allows it changes nothing; find the one that denies."
        )
    statement = json.dumps({"Effect": "Allow", "Action": action, "Resource": resource})
    return (
        f"    Add to the policies of {role}, and to its permission boundary if it has one:\n    {statement}\n"
        "    Roles made by `lakemesh bootstrap` have it: bring them up to date with `lakemesh bootstrap`."
    )
