"""The Pulumi program: reads the mesh, takes the part that the stack's name says, builds its component.

Every resource goes through one explicit provider that can reach the part's account and no other; default providers are
disabled in Pulumi.yaml.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components import CentralAccount, ConsumerAccount, Domain, ProducerAccount
from components.policy_documents import PolicyTooLargeError
from lakemesh.access.check import load_mesh
from lakemesh.declarations.errors import InvalidMeshError
from lakemesh.deploy.arguments import Arguments, ArgumentsError, Options
from lakemesh.deploy.parts import Kind, Part, UnknownStackError


def main() -> None:
    """Build this stack's part of the mesh."""
    config = pulumi.Config()  # of the project, whatever an adopter calls it
    directory = Path(config.get("mesh") or "mesh")
    try:
        declarations = load_mesh(directory)
        part = Part.parse(pulumi.get_stack(), declarations)
        build(part, Arguments(declarations, options(config), dt.datetime.now(dt.UTC).date()))
    except (InvalidMeshError, UnknownStackError, ArgumentsError, PolicyTooLargeError) as error:
        # The one exception that Pulumi prints without a traceback.
        raise pulumi.RunError(str(error)) from error


def options(config: pulumi.Config) -> Options:
    """The program's settings. Pulumi.yaml declares each with type and default."""
    default = Options()
    protect, boundary = config.get_bool("protect"), config.get_bool("permissionsBoundary")
    return Options(
        powertools_layer=config.get("powertoolsLayer") or default.powertools_layer,
        arrow_layer=config.get("arrowLayer") or default.arrow_layer,
        log_retention_days=config.get_int("logRetentionDays") or default.log_retention_days,
        result_retention_days=config.get_int("resultRetentionDays") or default.result_retention_days,
        reserved_concurrency=_or_default(config.get_int("reservedConcurrency"), default.reserved_concurrency),
        managed_policies_per_role=config.get_int("managedPoliciesPerRole") or default.managed_policies_per_role,
        permissions_boundary=default.permissions_boundary if boundary is None else boundary,
        protect=default.protect if protect is None else protect,
    )


def build(part: Part, arguments: Arguments) -> None:
    """The component of one part, through its own provider."""
    opts = pulumi.ResourceOptions(providers=[provider(part, arguments)])
    match part.kind:
        case Kind.CENTRAL:
            central = CentralAccount(part.stack, arguments.central(), opts)
            pulumi.export("syncRoleArn", central.sync_role_arn)
            pulumi.export("catalogKeyArn", central.catalog_key_arn)
        case Kind.PRODUCER:
            producer = ProducerAccount(part.stack, arguments.producer(part.name), opts)
            pulumi.export("readerRoleArn", producer.reader_role_arn)
            pulumi.export("policyStatements", producer.policy_statements)
        case Kind.DOMAIN:
            domain = Domain(part.stack, arguments.domain(part.name), opts)
            pulumi.export("databases", domain.databases)
        case Kind.CONSUMER:
            consumer = ConsumerAccount(part.stack, arguments.consumer(part.name), opts)
            pulumi.export("links", consumer.links)
            pulumi.export("workgroups", consumer.workgroup_names)


def provider(part: Part, arguments: Arguments) -> aws.Provider:
    """A provider that works in the part's account, through its deploying role, and fails in any other account."""
    given = arguments.provider(part)
    return aws.Provider(
        "aws",
        region=given.region,
        allowed_account_ids=[given.account],
        # Not a dict: its keys would reach the provider in snake case, and be ignored.
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=given.role_arn, session_name=given.session_name)],
        default_tags=aws.ProviderDefaultTagsArgs(tags=dict(given.tags)),
    )


def _or_default(value: int | None, default: int) -> int:
    return default if value is None else value


if __name__ == "__main__":
    main()
