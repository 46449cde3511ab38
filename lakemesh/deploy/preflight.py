"""Whose credentials these are, and whether they reach each account that is about to change: asked before any change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lakemesh.declarations.models import Declarations
from lakemesh.deploy.arguments import Arguments, Options, Provider
from lakemesh.deploy.parts import Part
from lakemesh.deploy.results import DeployError
from lakemesh.deploy.troubles import mend


def check(declarations: Declarations, parts: Iterable[Part], client: Mapping[str, Any] | None = None) -> None:
    """Assume the deploying role of every part, once each. Changes nothing.

    `client`: arguments of the STS client beyond the environment's. Raises DeployError that lists every account out of
    reach, and whose credentials were tried.
    """
    arguments = Arguments(declarations, Options(), dt.datetime.now(dt.UTC).date())
    wanted: dict[str, tuple[Provider, list[str]]] = {}
    for part in parts:
        provider = arguments.provider(part)
        wanted.setdefault(provider.role_arn, (provider, []))[1].append(part.stack)
    try:
        session: Any = boto3.Session(region_name=declarations.mesh.region)
        sts = session.client("sts", config=Config(retries={"max_attempts": 3}, connect_timeout=10), **(client or {}))
        caller = sts.get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        raise DeployError(
            f"AWS does not say whose credentials these are: {error}\n"
            + (mend(str(error)) or "    Sign in, or name a profile: AWS_PROFILE=<profile> lakemesh up …")
        ) from error
    refused = [line for provider, stacks in wanted.values() if (line := _refusal(sts, provider, stacks))]
    if refused:
        known = _accounts(declarations)
        whose = known.get(caller["Account"], "no account of this mesh")
        raise DeployError(
            f"Nothing was changed. The credentials are those of {caller['Arn']} ({caller['Account']}: {whose}).\n"
            + "\n".join(refused)
            + "\n    Sign in as somebody whom these roles trust (`deployment` in mesh.yaml), or make the roles: "
            "lakemesh bootstrap"
        )


def _refusal(sts: Any, provider: Provider, stacks: list[str]) -> str | None:
    """Why a role cannot be used, as a line; None: it can."""
    try:
        answer = sts.assume_role(RoleArn=provider.role_arn, RoleSessionName=provider.session_name, DurationSeconds=900)
    except (ClientError, BotoCoreError) as error:
        return f"    {', '.join(stacks)}: {provider.role_arn} cannot be assumed: {error}"
    reached = answer["AssumedRoleUser"]["Arn"].split(":")[4]
    if reached != provider.account:
        return f"    {', '.join(stacks)}: {provider.role_arn} is of account {reached}, not of {provider.account}"
    return None


def _accounts(declarations: Declarations) -> dict[str, str]:
    """What each account of the mesh is."""
    mesh = declarations.mesh
    found = {mesh.central.account: "central"}
    found |= {entry.account: f"producer {name}" for name, entry in mesh.producers.items()}
    return found | {entry.account: f"consumer {name}" for name, entry in mesh.consumers.items()}
