"""What a deployment that was refused lacks: the statement that allows it, and where it belongs."""

from __future__ import annotations

import json
import re
from typing import Final

from lakemesh.bootstrap.documents import Statement, allow
from lakemesh.bootstrap.templates import Template, templates
from lakemesh.declarations.models import Declarations

# IAM's own words, alike for every service (IAM user guide, "Troubleshoot access denied error messages").
REFUSAL: Final = re.compile(
    r"arn:[\w-]+:sts::(?P<account>\d{12}):assumed-role/(?P<role>[\w+=,.@-]+)/\S+ is not authorized to perform: "
    r"(?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?"
)


def advice(declarations: Declarations, error: str) -> str | None:
    """What to do about an error text in which IAM refuses a deploying role; None: it does not."""
    found = REFUSAL.search(error)
    if found is None:
        return None
    for template in templates(declarations):
        place = template.place
        if (place.account, place.deploy_role) == (found["account"], found["role"]):
            resource = (found["resource"] or "*").rstrip(".,;")
            return _advice(template, found["action"], resource)
    return None


def _advice(template: Template, action: str, resource: str) -> str:
    part = template.place.part
    sids = [statement["Sid"] for statement in _statements(template) if action in statement["Action"]]
    again = f"lakemesh bootstrap --account {part}, then deploy {part}.yaml; --verify says what is missing"
    if sids:
        return (
            f"The template of {part} allows {action} (statement {', '.join(sids)}): the account has an older one, or a "
            f"boundary or service control policy denies it.\nMend it: {again}."
        )
    statement = allow("Missing", [action], [resource])
    return (
        f"No template allows {action}, so the mesh's own stacks do not need it. If a change of yours does, add to "
        f"{template.place.deploy_role}:\n{json.dumps(statement)}"
    )


def _statements(template: Template) -> list[Statement]:
    return [statement for document in template.policies for statement in document["Statement"]]
