"""A Lambda function of `sync_handlers/`, with its own role and log group."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.policy_documents import (
    INLINE_POLICIES_CHARACTERS,
    PolicyTooLargeError,
    Statement,
    allow,
    document,
    service_trust,
)

HANDLERS = Path(__file__).resolve().parents[1] / "sync_handlers"


class HandlerSettings(TypedDict):
    """What every handler function of a stack has in common."""

    powertools_layer: str
    """ARN of the public Powertools layer, with its version, for python3.13 on arm64."""
    log_retention_days: int
    """Days that CloudWatch Logs keeps what the functions log."""
    permissions_boundary: NotRequired[str]
    """ARN of the managed policy that limits every role of the stack; none where it is left out."""
    reserved_concurrency: NotRequired[int]
    """Concurrent executions set aside for each function; -1 sets none aside (an account starts with few)."""


class HandlerFunctionArgs(TypedDict):
    """Arguments of HandlerFunction."""

    account: str
    """Account id that the function runs in."""
    region: str
    """Region that the function runs in."""
    partition: str
    """AWS partition: aws, aws-cn, aws-us-gov."""
    function: str
    """Name of the function."""
    role: str
    """Name of its role."""
    handler: str
    """Module and function, e.g. `sync_handlers.sync.handler`."""
    description: str
    """What the function does, for whoever finds it in the console."""
    mesh: str
    """Name of the mesh: the namespace of the function's metrics."""
    settings: HandlerSettings
    """What every handler function of a stack has in common."""
    statements: Sequence[Statement] | pulumi.Output[Sequence[Statement]]
    """What the role may do beyond writing its log."""
    managed_policies: NotRequired[Sequence[str]]
    """Further documents, each attached as a policy of its own: the inline policies of a role end at 10,240
    characters."""
    manifest: NotRequired[str]
    """The compiled declarations, bundled as `manifest.json`; left out for functions that do not read it."""
    files: NotRequired[Mapping[str, str]]
    """The function's modules, file on this machine by name in the archive; none: `sync_handlers/*.py`."""
    data: NotRequired[Mapping[str, str]]
    """Further text files of the archive, by name."""
    layers: NotRequired[Sequence[str]]
    """ARNs of further layers."""
    environment: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Further environment variables."""
    timeout: int
    """Seconds after which Lambda stops the function."""
    memory: int
    """Megabytes."""
    protect_role: NotRequired[bool]
    """Whether Pulumi refuses to delete the role."""


class HandlerFunction(pulumi.ComponentResource):
    """One function of the bundle, its role, the role's policies and its log group.

    The bundle is `sync_handlers/*.py` named file by file, so that a `__pycache__` or a changed file time is no
    change. It holds no library: boto3 is the runtime's, Powertools comes from AWS's public layer. Does not say when
    the function runs: an `aws.lambda.Invocation` or, later, a queue does.
    """

    function_name: pulumi.Output[str]
    """Name of the function; known only once its role's policies are in place."""
    function_arn: pulumi.Output[str]
    """ARN of the function."""
    role_arn: pulumi.Output[str]
    """ARN of the function's role."""

    def __init__(self, name: str, args: HandlerFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:HandlerFunction", name, {}, opts)
        settings = args["settings"]
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/lambda/{args['function']}",
            retention_in_days=int(settings["log_retention_days"]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.role = aws.iam.Role(
            f"{name}-role",
            name=args["role"],
            description=args["description"],
            assume_role_policy=service_trust("lambda.amazonaws.com"),
            permissions_boundary=settings.get("permissions_boundary"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect_role")),
        )
        policies = self._policies(name, args)
        function = aws.lambda_.Function(
            f"{name}-function",
            name=args["function"],
            description=args["description"],
            role=self.role.arn,
            handler=args["handler"],
            runtime="python3.13",
            architectures=["arm64"],
            code=bundle(args.get("manifest"), files=args.get("files"), data=args.get("data")),
            layers=[settings["powertools_layer"], *args.get("layers", ())],
            timeout=args["timeout"],
            memory_size=args["memory"],
            reserved_concurrent_executions=int(settings.get("reserved_concurrency", -1)),
            environment={"variables": _environment(args)},
            # Without a log group of ours Lambda makes one that keeps everything for ever; without its policies the
            # first invocation of a deployment would be refused.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log_group, *policies]),
        )
        self.function_name = function.name
        self.function_arn = function.arn
        self.role_arn = self.role.arn
        self.register_outputs({"functionName": self.function_name, "roleArn": self.role_arn})

    def _policies(self, name: str, args: HandlerFunctionArgs) -> list[pulumi.Resource]:
        statements = args["statements"]
        inline: pulumi.Input[str] = (
            statements.apply(lambda known: inline_policy(args, known))
            if isinstance(statements, pulumi.Output)
            else inline_policy(
                args, statements
            )  # at once, so that a policy too large stops the program with its reason
        )
        made: list[pulumi.Resource] = [
            aws.iam.RolePolicy(
                f"{name}-policy",
                name=args["function"],
                role=self.role.name,
                policy=inline,
                opts=pulumi.ResourceOptions(parent=self),
            )
        ]
        for number, text in enumerate(args.get("managed_policies", ()), start=1):
            policy = aws.iam.Policy(
                f"{name}-policy-{number}",
                name=f"{args['role']}-{number}",
                description=f"Part {number} of what {args['role']} may do with the catalog.",
                policy=text,
                opts=pulumi.ResourceOptions(parent=self),
            )
            made.append(
                aws.iam.RolePolicyAttachment(
                    f"{name}-policy-{number}-attachment",
                    role=self.role.name,
                    policy_arn=policy.arn,
                    opts=pulumi.ResourceOptions(parent=self),
                )
            )
        return made


def bundle(
    manifest: str | None,
    folder: Path = HANDLERS,
    files: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
) -> pulumi.AssetArchive:
    """The code of a handler function: `sync_handlers/*.py` or the given files, and `manifest.json` beside them where
    there is one."""
    named = files or {f"{folder.name}/{path.name}": str(path) for path in sorted(folder.glob("*.py"))}
    assets: dict[str, Any] = {name: pulumi.FileAsset(path) for name, path in named.items()}
    if manifest is not None:
        assets["manifest.json"] = pulumi.StringAsset(manifest)
    assets |= {name: pulumi.StringAsset(text) for name, text in (data or {}).items()}
    return pulumi.AssetArchive(assets)


def inline_policy(args: HandlerFunctionArgs, statements: Sequence[Statement]) -> str:
    """The role's own document: its log, and what else it may do. Raises PolicyTooLargeError."""
    log_streams = (
        f"arn:{args['partition']}:logs:{args['region']}:{args['account']}:log-group:/aws/lambda/{args['function']}:*"
    )
    text = document([allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_streams]), *statements])
    if len(text) > INLINE_POLICIES_CHARACTERS:
        raise PolicyTooLargeError(
            f"the policy of role {args['role']} would have {len(text)} characters, and IAM allows "
            f"{INLINE_POLICIES_CHARACTERS} for all inline policies of a role (IAM and STS quotas). "
            "Split the part into two: it names too many databases, buckets or keys."
        )
    return text


def _environment(args: HandlerFunctionArgs) -> Mapping[str, pulumi.Input[str]]:
    """Settings of Powertools, and what a function has to find; what handlers do is in the event and the manifest."""
    further = args.get("environment") or {}
    return {
        **further,
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_METRICS_NAMESPACE": args["mesh"],
        "POWERTOOLS_SERVICE_NAME": args["function"],
    }
