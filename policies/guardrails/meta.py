"""What the pack itself was given: the manifest of the mesh, and exceptions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from guardrails.mesh import Given
from guardrails.resource import Resource
from guardrails.rule import Concern
from guardrails.tokens import STACK

META: Final = Concern("pack", "The pack itself")
SOON: Final = dt.timedelta(days=14)
TEXT: Final = {"type": "string"}
SETTINGS: Final = {
    "manifest": {"type": "object", "description": "The compiled declarations, version 1 (`lakemesh manifest`)."},
    "manifestFile": {**TEXT, "description": "Path of a file that holds it instead."},
    "exceptions": {
        "type": "array",
        "items": {"type": "object"},
        "description": "Exceptions, each with rule, resource (a pattern of names), reason, owner and expires.",
    },
    "approvals": {
        "type": "object",
        "description": 'Each grant\'s approval, by id: "verified", "not looked up", or why it does not count.',
    },
    "serviceRoles": {
        "type": "object",
        "description": "Names of the roles `sync` and `tag`, where the manifest does not imply them.",
    },
    "today": {**TEXT, "description": "The day that expiries are compared with, 2030-12-31; today if left out."},
}


@META.resource(
    "mesh-is-described",
    Severity.LOW,
    STACK,
    fix="Write the manifest with `lakemesh manifest` and name it in the configuration of this rule: "
    '{"mesh-is-described": {"manifestFile": "manifest.json"}}.',
    options=SETTINGS,
    informs=True,
)
def mesh_is_described(resource: Resource, given: Given) -> Iterator[str]:
    """The pack knows the mesh: its configuration holds a manifest that it can read.

    Accounts, contracts, LF-Tags and approvals are the mesh's; without a manifest the rules that compare with them do
    not apply, and the others still run.

    Good::

        {"mesh-is-described": {"manifestFile": "manifest.json"}}

    Bad::

        {}
    """
    if given.shared.trouble:
        yield f"{given.shared.trouble} Rules that need the manifest are not applied."
    elif not given.known:
        yield (
            f"The pack was given no manifest of the mesh for {resource}, so rules about its accounts, "
            "contracts, LF-Tags and approvals are not applied; the others are."
        )


@META.resource(
    "exceptions-hold",
    Severity.HIGH,
    STACK,
    fix="Mend what the exception is for and remove it, or have its owner extend it.",
)
def exceptions_hold(_resource: Resource, given: Given) -> Iterator[str]:
    """Every exception names a rule of the pack, a resource, a reason, an owner and an expiry that has not passed.

    An exception without end is a rule that nobody dared to switch off; one that expired must not go on by habit. It
    waives nothing, and it fails by itself, so that somebody looks.

    Good::

        {"rule": "hybrid-access-is-an-exception", "resource": "erp-lake", "reason": "Migration of EMR jobs, FIN-77",
         "owner": "ines.moreau@acme.example", "expires": "2030-06-30"}

    Bad::

        {"rule": "hybrid-access-is-an-exception", "resource": "erp-lake", "reason": "needed"}
    """
    for each in given.shared.exceptions:
        if each.problem:
            yield f"The {each} {each.problem}; complete it, or it waives nothing."
        elif each.rule not in known_rules():
            yield f"The {each} is for a rule that the pack does not have; correct its name or remove it."
        elif each.expires is not None and each.expires <= given.today:
            yield f"The {each} expired on {each.expires}; {each.owner} removes or extends it ({each.reason})."


@META.resource(
    "exceptions-are-shown",
    Severity.LOW,
    STACK,
    fix="Nothing is wrong: the line is there so that everybody who reads the report sees what is waived.",
    informs=True,
)
def exceptions_are_shown(_resource: Resource, given: Given) -> Iterator[str]:
    """Every exception in force is shown in the report.

    Whoever approves a change must see what its checks were not applied to.

    Good::

        {"exceptions": []}

    Bad::

        {"exceptions": [{"rule": "hybrid-access-is-an-exception", "resource": "erp-lake", "reason": "Migration",
                         "owner": "ines.moreau@acme.example", "expires": "2030-06-30"}]}
    """
    for each in given.shared.exceptions:
        if each.rule in known_rules() and each.in_force(given.today):
            ends = "" if each.in_force(given.today + SOON) else " It ends soon."
            yield f"The {each} is in force until {each.expires}, for {each.owner}: {each.reason}.{ends}"


def known_rules() -> frozenset[str]:
    """Names of all rules of the pack."""
    from guardrails.pack import RULES  # noqa: PLC0415 - the pack is made of this module, too

    return frozenset(rule.name for rule in RULES)
