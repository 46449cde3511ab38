"""The governance account: settings, ontology, catalog key, and the functions that sync and tag."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.access_log import AccessLog
from components.catalog_access import (
    Place,
    catalog_arn,
    queue_statements,
    state_statements,
    sync_scope,
    sync_statements,
    tag_scope,
    tag_statements,
    topic_statements,
)
from components.catalog_key import CatalogKey
from components.column_review import ColumnReview, ReviewSettings
from components.event_intake import EventIntake
from components.handler_function import HandlerFunction, HandlerSettings
from components.monitoring import CentralMonitoring
from components.ontology import Ontology
from components.policy_documents import PolicyTooLargeError, Statement, pack
from components.settings import Settings
from components.sync_queue import SyncQueue
from components.sync_state import SyncState

MANAGED_POLICIES_PER_ROLE = 10
"""IAM and STS quotas: managed policies attached to a role, unless the quota was raised (to 20 at most)."""


BATCH_SIZE = 25
BATCH_WINDOW_SECONDS = 1
"""Long enough for the events of one job to arrive together, short enough for a twin to follow within seconds."""
SYNC_CONCURRENCY = 5
"""Invocations for the queue at a time: the producers' Glue APIs throttle, and a deployment's own invocation has to find
room."""


class CentralAccountArgs(TypedDict):
    """Arguments of CentralAccount."""

    account: str
    """Account id of the governance account."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition: aws, aws-cn, aws-us-gov."""
    organization: str
    """Id of the AWS organization."""
    mesh: str
    """Name of the mesh."""
    administrators: Sequence[str]
    """ARNs of every data lake administrator, the deploying role among them."""
    cross_account_version: str
    """Cross-account version of Lake Formation, 3 to 5; 5 cannot be lowered again."""
    ontology: Mapping[str, Sequence[str]]
    """Values by LF-Tag key."""
    catalog_key_alias: str
    """Alias of the catalog's key, with `alias/` before it."""
    consumer_accounts: Sequence[str]
    """Accounts that read shared databases."""
    twins: Sequence[str]
    """Databases of the central catalog that are copies of the producers'."""
    reader_role_arns: Sequence[str]
    """Roles in the producers' accounts that the sync role assumes."""
    sync_function: str
    """Name of the function that copies metadata."""
    sync_role: str
    """Name of its role."""
    tag_function: str
    """Name of the function that puts LF-Tags on tables and columns."""
    tag_role: str
    """Name of its role."""
    event_bus: str
    """Name of the event bus that producers' events arrive on."""
    event_rule: str
    """Name of the rule that takes them from it."""
    refresh_rule: str
    """Name of the rule that starts the full refresh."""
    refresh: str
    """When the full refresh starts: `rate(…)` or `cron(…)`, in UTC."""
    watch_rule: str
    """Name of the rule that has the sync publish how the domains stand."""
    sync_state: str
    """Name of the table of the sync's state."""
    domains: NotRequired[Sequence[str]]
    """Domains of the mesh, for the dashboard."""
    operators: NotRequired[Sequence[str]]
    """E-mail addresses that hear of every alarm."""
    notify_consumers: NotRequired[Mapping[str, Sequence[str]]]
    """E-mail addresses by consumer that hear of breaking changes to what it reads."""
    runbooks: NotRequired[str]
    """Address of the folder of the runbooks, with a slash at the end; without it there are no alarms."""
    access_log: NotRequired[str]
    """Name of the table of requests for access; without it there is no portal."""
    portal_policy: NotRequired[str]
    """Name of the managed policy for whatever runs the portal; needed where there is `access_log`."""
    topic_prefix: NotRequired[str]
    """ARN of the mesh's topics, up to `operators`, `owner-<domain>` or `consumer-<consumer>`; left out, the sync tells
    nobody."""
    sync_queue: str
    """Name of the sync's queue."""
    dead_letter_queue: str
    """Name of its dead-letter queue."""
    sync_key_alias: str
    """Alias of the key of both queues and of the state table, with `alias/` before it."""
    manifest: str
    """The compiled declarations, as JSON; both functions carry it."""
    handlers: HandlerSettings
    """What the functions have in common."""
    review: NotRequired[ReviewSettings]
    """The review of columns; none where it is left out."""
    managed_policies_per_role: NotRequired[int]
    """The account's quota of managed policies attached to a role; 10 unless it was raised."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete settings, LF-Tags, key and the roles that own tables; true unless said
    otherwise."""


class CentralAccount(pulumi.ComponentResource):
    """Everything of the governance account that belongs to no domain.

    Not here: twins, registered locations and grants, which belong to their domains; and the CloudTrail trail, which an
    organization has already.
    """

    sync_role_arn: pulumi.Output[str]
    """Role that copies metadata; the producers' reader roles trust it. It owns every table of the central catalog."""
    tag_role_arn: pulumi.Output[str]
    """Role that puts LF-Tags on tables and columns."""
    sync_function: pulumi.Output[str]
    """Name of the function that copies metadata."""
    tag_function: pulumi.Output[str]
    """Name of the function that puts LF-Tags on tables and columns."""
    catalog_key_arn: pulumi.Output[str]
    """Key that encrypts the catalog."""
    tag_keys: pulumi.Output[Sequence[str]]
    """The LF-Tag keys, sorted."""
    event_bus_arn: pulumi.Output[str]
    """Event bus that producers' events arrive on."""
    queue_url: pulumi.Output[str]
    """Queue of the sync."""
    dead_letter_url: pulumi.Output[str]
    """Queue of messages that failed again and again."""
    state_table: pulumi.Output[str]
    """Name of the table of the sync's state."""

    def __init__(self, name: str, args: CentralAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:CentralAccount", name, {}, opts)
        protect = args.get("protect", True)
        settings = Settings(
            f"{name}-settings",
            {
                "administrators": args["administrators"],
                "cross_account_version": args["cross_account_version"],
                "protect": protect,
            },
            pulumi.ResourceOptions(parent=self),
        )
        key = CatalogKey(
            f"{name}-catalog-key",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "organization": args["organization"],
                "alias": args["catalog_key_alias"],
                "reader_accounts": args["consumer_accounts"],
                "protect": protect,
            },
            pulumi.ResourceOptions(parent=self),
        )
        queue = SyncQueue(
            f"{name}-queue",
            {
                "account": args["account"],
                "region": args["region"],
                "partition": args["partition"],
                "queue": args["sync_queue"],
                "dead_letter_queue": args["dead_letter_queue"],
                "key_alias": args["sync_key_alias"],
            },
            pulumi.ResourceOptions(parent=self),
        )
        state = SyncState(
            f"{name}-state",
            {"table": args["sync_state"], "key_arn": queue.key_arn, "protect": protect},
            pulumi.ResourceOptions(parent=self),
        )
        if runbooks := args.get("runbooks"):
            CentralMonitoring(
                f"{name}-monitoring",
                {
                    "account": args["account"],
                    "region": args["region"],
                    "partition": args["partition"],
                    "mesh": args["mesh"],
                    "sync_function": args["sync_function"],
                    "tag_function": args["tag_function"],
                    "sync_queue": args["sync_queue"],
                    "dead_letter_queue": args["dead_letter_queue"],
                    "key_arn": queue.key_arn,
                    "domains": args.get("domains", []),
                    "operators": args.get("operators", []),
                    "consumers": args.get("notify_consumers", {}),
                    "runbooks": runbooks,
                },
                pulumi.ResourceOptions(parent=self),
            )
        if log := args.get("access_log"):
            AccessLog(
                f"{name}-access-log",
                {
                    "account": args["account"],
                    "region": args["region"],
                    "partition": args["partition"],
                    "table": log,
                    "policy": args.get("portal_policy", log),
                    "key_arn": queue.key_arn,
                    "state_table_arn": state.table_arn,
                    "protect": protect,
                },
                pulumi.ResourceOptions(parent=self),
            )
        sync, tag = self._functions(name, args, key, queue, state)
        intake = self._intake(name, args, queue, sync)
        ontology = Ontology(
            f"{name}-ontology",
            {"tags": args["ontology"], "tag_role_arn": tag.role_arn, "protect": protect},
            # Only an administrator creates LF-Tags, and only the settings make the deploying role one.
            pulumi.ResourceOptions(parent=self, depends_on=[settings]),
        )
        if review := args.get("review"):
            ColumnReview(
                f"{name}-review",
                {
                    "account": args["account"],
                    "region": args["region"],
                    "partition": args["partition"],
                    "organization": args["organization"],
                    "mesh": args["mesh"],
                    "twins": args["twins"],
                    "catalog_key_arn": key.key_arn,
                    "manifest": args["manifest"],
                    "review": review,
                    "handlers": args["handlers"],
                },
                pulumi.ResourceOptions(parent=self),
            )
        self.sync_role_arn = sync.role_arn
        self.tag_role_arn = tag.role_arn
        self.sync_function = sync.function_name
        self.tag_function = tag.function_name
        self.catalog_key_arn = key.key_arn
        self.tag_keys = ontology.keys
        self.event_bus_arn = intake.bus_arn
        self.queue_url = queue.queue_url
        self.dead_letter_url = queue.dead_letter_url
        self.state_table = state.table_name
        self.register_outputs(
            {
                "syncRoleArn": self.sync_role_arn,
                "tagRoleArn": self.tag_role_arn,
                "syncFunction": self.sync_function,
                "tagFunction": self.tag_function,
                "catalogKeyArn": self.catalog_key_arn,
                "tagKeys": self.tag_keys,
                "eventBusArn": self.event_bus_arn,
                "queueUrl": self.queue_url,
                "deadLetterUrl": self.dead_letter_url,
                "stateTable": self.state_table,
            }
        )

    def _intake(self, name: str, args: CentralAccountArgs, queue: SyncQueue, sync: HandlerFunction) -> EventIntake:
        """Events and schedule to the queue, the queue to the function."""
        aws.lambda_.EventSourceMapping(
            f"{name}-queue-mapping",
            event_source_arn=queue.queue_arn,
            function_name=sync.function_name,
            batch_size=BATCH_SIZE,
            maximum_batching_window_in_seconds=BATCH_WINDOW_SECONDS,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": SYNC_CONCURRENCY},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return EventIntake(
            f"{name}-intake",
            {
                "organization": args["organization"],
                "bus": args["event_bus"],
                "rule": args["event_rule"],
                "refresh_rule": args["refresh_rule"],
                "refresh": args["refresh"],
                "watch_rule": args["watch_rule"],
                "queue_arn": queue.queue_arn,
                "queue_url": queue.queue_url,
                "dead_letter_arn": queue.dead_letter_arn,
                "dead_letter_url": queue.dead_letter_url,
            },
            pulumi.ResourceOptions(parent=self),
        )

    def _functions(
        self, name: str, args: CentralAccountArgs, key: CatalogKey, queue: SyncQueue, state: SyncState
    ) -> tuple[HandlerFunction, HandlerFunction]:
        place: Place = {"account": args["account"], "region": args["region"], "partition": args["partition"]}
        quota = int(args.get("managed_policies_per_role", MANAGED_POLICIES_PER_ROLE))
        topics = args.get("topic_prefix", "")
        sync = HandlerFunction(
            f"{name}-sync",
            {
                **place,
                "function": args["sync_function"],
                "role": args["sync_role"],
                "handler": "sync_handlers.sync.handler",
                "description": f"Copies the producers' metadata into the central catalog of the mesh {args['mesh']}.",
                "mesh": args["mesh"],
                "settings": args["handlers"],
                "statements": pulumi.Output.all(key.key_arn, queue.queue_arn, queue.key_arn, state.table_arn).apply(
                    lambda arns: [
                        *sync_statements(place, arns[0]),
                        *queue_statements(place, arns[1], arns[2], args["tag_function"]),
                        *state_statements(place, arns[3], arns[2]),
                        *(topic_statements(place, topics, arns[2]) if topics else ()),
                    ]
                ),
                "environment": {
                    # Those of the queue, and a deployment's: each takes its part of Glue's quotas.
                    "LAKEMESH_CONCURRENCY": str(SYNC_CONCURRENCY + 1),
                    "LAKEMESH_QUEUE": queue.queue_url,
                    "LAKEMESH_TAG_FUNCTION": args["tag_function"],
                    "SYNC_STATE_TABLE": state.table_name,
                    **({"TOPIC_PREFIX": topics} if topics else {}),
                },
                "managed_policies": scoped(
                    sync_scope(place, args["twins"], args["reader_role_arns"]), place, args["sync_role"], quota
                ),
                "manifest": args["manifest"],
                "files": {},
                "data": {},
                "layers": (),
                "timeout": 900,
                "memory": 1024,
                # It owns the tables it creates: recreated under the same name it would be another principal.
                "protect_role": args.get("protect", True),
            },
            pulumi.ResourceOptions(parent=self),
        )
        tag = HandlerFunction(
            f"{name}-tag",
            {
                **place,
                "function": args["tag_function"],
                "role": args["tag_role"],
                "handler": "sync_handlers.tag.handler",
                "description": f"Puts LF-Tags on the tables and columns of the mesh {args['mesh']}.",
                "mesh": args["mesh"],
                "settings": args["handlers"],
                "environment": {},
                "statements": key.key_arn.apply(lambda arn: tag_statements(place, arn)),
                "managed_policies": scoped(tag_scope(place, args["twins"]), place, args["tag_role"], quota),
                "manifest": args["manifest"],
                "files": {},
                "data": {},
                "layers": (),
                "timeout": 900,
                "memory": 512,
                "protect_role": args.get("protect", True),
            },
            pulumi.ResourceOptions(parent=self),
        )
        return sync, tag


def scoped(statements: Sequence[Statement], place: Place, role: str, quota: int) -> list[str]:
    """Documents of managed policies for a role, no more than the account's quota."""
    documents = pack(statements, common=[catalog_arn(place)])
    if len(documents) > quota:
        raise PolicyTooLargeError(
            f"role {role} would need {len(documents)} managed policies of 6,144 characters, and the account's quota is "
            f'{quota}. Ask AWS for more of "Managed policies attached to an IAM role" (20 at most) and set '
            "lakemesh:managedPoliciesPerRole to what you got, or split the mesh in two."
        )
    return documents
