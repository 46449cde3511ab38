"""Templates and policies as files, with a page of what to run with them. Equal declarations give equal files."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from lakemesh.bootstrap.documents import BootstrapError, compact, readable
from lakemesh.bootstrap.guardrails import Guardrail, guardrails
from lakemesh.bootstrap.places import Kind
from lakemesh.bootstrap.templates import GITHUB_PARAMETER, TEMPLATE_BYTES, Template, backend, templates
from lakemesh.declarations.models import Declarations

README: Final = "README.md"
POLICIES: Final = "service-control-policies"
_HEAD: Final = "# Made by `lakemesh bootstrap`: change mesh.yaml and run it again, or the change is lost.\n"


@dataclass(frozen=True)
class File:
    """One file: its path below the directory, its text, and whose it is."""

    path: str
    text: str
    part: str = ""
    """`central`, `producer-<p>` or `consumer-<c>`; empty for what belongs to no single account."""
    account: str = ""


def files(declarations: Declarations) -> tuple[File, ...]:
    """Everything that `lakemesh bootstrap` writes. Raises BootstrapError."""
    made, policies = templates(declarations), guardrails(declarations)
    return (
        *(File(template_path(one), template_text(one), one.place.part, one.place.account) for one in made),
        *(File(policy_path(one), readable(one.document)) for one in policies),
        File(README, readme(declarations, made, policies)),
    )


def template_path(template: Template) -> str:
    return f"{template.place.part}.yaml"


def policy_path(guardrail: Guardrail) -> str:
    return f"{POLICIES}/{guardrail.file}"


def template_text(template: Template) -> str:
    """The template as YAML. Raises BootstrapError where it is too long for CloudFormation to take directly."""
    text = _HEAD + yaml.dump(template.body, Dumper=_Plain, sort_keys=False, width=120)
    if len(text.encode()) > TEMPLATE_BYTES:
        # JSON is YAML too, and shorter.
        text = compact(template.body) + "\n"
    if len(text.encode()) > TEMPLATE_BYTES:
        raise BootstrapError(
            f"{template.place.part}: its template has {len(text.encode())} bytes and CloudFormation takes "
            f"{TEMPLATE_BYTES}. The mesh has too many databases for one account; split it in two."
        )
    return text


class _Plain(yaml.SafeDumper):
    """No anchors: a person reads each document by itself."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


# ------------------------------------------------------------------------------------------------------ what to run
def deploy_command(template: Template) -> str:
    """Deploys one template, in its own account or not at all."""
    account = template.place.account
    region = template.place.mesh.region
    right = f'test "$(aws sts get-caller-identity --query Account --output text)" = {account}'
    deploy = (
        f"aws cloudformation deploy --region {region} --stack-name {template.stack} "
        f"--template-file {template_path(template)} --capabilities CAPABILITY_NAMED_IAM"
    )
    return f"{right} &&\n  {deploy}"


def attach_commands(guardrail: Guardrail, mesh: str) -> list[str]:
    """Makes one service control policy and attaches it, from the organization's management account."""
    name = f"{mesh}-{guardrail.name}"
    create = (
        f"policy=$(aws organizations create-policy --type SERVICE_CONTROL_POLICY --name {name} "
        f"--description {shlex.quote(guardrail.purpose)} --content file://{policy_path(guardrail)} "
        "--query Policy.PolicySummary.Id --output text)"
    )
    attach = [f'aws organizations attach-policy --policy-id "$policy" --target-id {one}' for one in guardrail.accounts]
    return [create, *attach]


def readme(declarations: Declarations, made: Sequence[Template], policies: Iterable[Guardrail]) -> str:
    """What to run, in order."""
    mesh, central = declarations.mesh, made[0]
    lines = [
        f"# The accounts of the data mesh {mesh.name}",
        "",
        "Made by `lakemesh bootstrap` from mesh.yaml. Run each command in this directory, with an administrator's",
        "credentials of the account that it names: the first half of a command ends it in any other account.",
        "Every command can be run again; run them again when `lakemesh bootstrap --check` says that files differ.",
        "",
        "## 1. Accounts, in any order",
    ]
    for one in made:
        lines += ["", f"Account {one.place.account}, {one.place.part}:", "", *_shell(deploy_command(one)), *_notes(one)]
    lines += [
        "",
        "Each says whether it is complete, with the same credentials: `lakemesh bootstrap --verify`.",
        "",
        "## 2. Service control policies, from the management account",
        "",
        "After the accounts: the policies let nobody else change the roles. Keep a way past them: whoever is in the",
        "management account can detach a policy.",
    ]
    for policy in policies:
        lines += [
            "",
            f"{policy.purpose}{' Optional: it binds the producers.' if policy.optional else ''}",
            "",
            *_shell(*attach_commands(policy, mesh.name)),
        ]
    lines += [
        "",
        "## 3. Pulumi",
        "",
        "With the session of the deploying role of the governance account:",
        "",
        *_shell(
            f"pulumi login {shlex.quote(backend(central.place))}",
            "pulumi stack init central --secrets-provider " + shlex.quote(central.place.naming.secrets_provider),
            "pulumi up --stack central",
        ),
    ]
    return "\n".join(lines) + "\n"


def _notes(template: Template) -> list[str]:
    place = template.place
    if place.kind is Kind.CENTRAL and place.mesh.deployment.github is not None:
        return [
            "",
            "Where the account has GitHub's identity provider already, add",
            f"`--parameter-overrides {GITHUB_PARAMETER}=exists`.",
        ]
    governed = place.kind is Kind.PRODUCER and place.mesh.producers[place.name].governance == "lake-formation"
    if governed:
        return [
            "",
            f"Lake Formation governs this account: make {place.deploy_role_arn}",
            "a data lake administrator beside those there are: its settings are the producer's, and no template's.",
        ]
    return []


def _shell(*commands: str) -> list[str]:
    return ["```shell", *commands, "```"]
