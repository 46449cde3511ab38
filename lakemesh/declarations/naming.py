"""Every name and ARN that more than one stack must know, computed from `mesh.yaml` alone.

No stack reads another stack's state: a producer's policies name central's roles, a domain's sync assumes a
producer's reader role, a consumer's functions accept what central shared. All of them ask this module, so each stack
previews alone and offline.

Names that would be too long keep a readable beginning and end in a hash of the whole; equal inputs give equal names.
"""

from __future__ import annotations

import hashlib
from typing import Final

from lakemesh.declarations.models import Mesh

MAX_ROLE_NAME: Final = 64  # IAM and STS quotas, "Names of IAM resources"
MAX_POLICY_NAME: Final = 128  # IAM API, CreatePolicy, PolicyName
MAX_FUNCTION_NAME: Final = 64  # Lambda API, CreateFunction, FunctionName
MAX_BUCKET_NAME: Final = 63  # S3 user guide, "General purpose bucket naming rules"
MAX_WORKGROUP_NAME: Final = 128  # Athena API, CreateWorkGroup, Name
MAX_ALIAS_NAME: Final = 256  # KMS API, CreateAlias, AliasName
MAX_BUS_NAME: Final = 256  # EventBridge API, CreateEventBus, Name
MAX_RULE_NAME: Final = 64  # EventBridge API, PutRule, Name
MAX_QUEUE_NAME: Final = 80  # SQS API, CreateQueue, QueueName
_HASH_CHARACTERS: Final = 10


def shorten(name: str, limit: int) -> str:
    """`name`, or its beginning with a hash of the whole where it is longer than `limit`."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{name[: limit - _HASH_CHARACTERS - 1].rstrip('-_.')}-{digest}"


class Naming:
    """Names of one mesh. Methods named `*_role`, `*_function` return names; `*_arn` returns ARNs."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`…, which the region decides (AWS general reference, "Amazon Resource Names")."""
        return partition_of(self._mesh.region)

    # ------------------------------------------------------------------------------------------------ central
    @property
    def sync_role(self) -> str:
        return self._role("sync")

    @property
    def tag_role(self) -> str:
        return self._role("tag")

    @property
    def sync_function(self) -> str:
        return self._function("sync")

    @property
    def tag_function(self) -> str:
        return self._function("tag")

    @property
    def review_function(self) -> str:
        """Function that judges new and changed columns, and its role."""
        return self._function("review")

    @property
    def review_role(self) -> str:
        return self._role("review")

    @property
    def review_rule(self) -> str:
        """Rule on the default bus that tells it what the sync has written."""
        return shorten(f"{self._mesh.name}-review", MAX_RULE_NAME)

    @property
    def review_schedule(self) -> str:
        """Rule that has it look at everything."""
        return shorten(f"{self._mesh.name}-review-all", MAX_RULE_NAME)

    @property
    def reviews_bucket(self) -> str:
        """Bucket of the governance account that keeps what the review and the producers' scans found."""
        tail = f"-{self._mesh.central.account}-{self._mesh.region}"
        head = f"{self._mesh.name}-reviews".replace("_", "-")
        return shorten(head, MAX_BUCKET_NAME - len(tail)) + tail

    @property
    def catalog_key_alias(self) -> str:
        return shorten(f"alias/{self._mesh.name}-catalog", MAX_ALIAS_NAME)

    @property
    def event_bus(self) -> str:
        """Event bus that producers' events arrive on."""
        return shorten(self._mesh.name, MAX_BUS_NAME)

    @property
    def event_rule(self) -> str:
        """Rule on it that takes Glue's events to the queue."""
        return shorten(f"{self._mesh.name}-glue", MAX_RULE_NAME)

    @property
    def refresh_rule(self) -> str:
        """Rule that starts the full refresh."""
        return shorten(f"{self._mesh.name}-refresh", MAX_RULE_NAME)

    @property
    def watch_rule(self) -> str:
        """Rule that has the sync publish how the domains stand."""
        return shorten(f"{self._mesh.name}-watch", MAX_RULE_NAME)

    @property
    def sync_state(self) -> str:
        """Table of the sync's state: a table's name has 255 characters, far more than a mesh's (DynamoDB API)."""
        return f"{self._mesh.name}-sync-state"

    @property
    def access_log(self) -> str:
        """Table of requests for access."""
        return f"{self._mesh.name}-access-requests"

    @property
    def portal_policy(self) -> str:
        """Managed policy for whatever runs the portal."""
        return f"{self._mesh.name}-portal"

    @property
    def topic_prefix(self) -> str:
        """ARN of the mesh's topics, up to `operators`, `owner-<domain>` or `consumer-<consumer>`."""
        mesh = self._mesh
        return f"arn:{self.partition}:sns:{mesh.region}:{mesh.central.account}:{mesh.name}-"

    @property
    def sync_queue(self) -> str:
        return shorten(f"{self._mesh.name}-sync", MAX_QUEUE_NAME)

    @property
    def dead_letter_queue(self) -> str:
        return shorten(f"{self._mesh.name}-sync-dead-letters", MAX_QUEUE_NAME)

    @property
    def sync_key_alias(self) -> str:
        """Alias of the key that encrypts both."""
        return shorten(f"alias/{self._mesh.name}-sync", MAX_ALIAS_NAME)

    def registration_role(self, domain: str, producer: str) -> str:
        """Role in the central account that Lake Formation assumes to read `producer`'s prefixes for `domain`.

        The dot keeps (a-b, c) and (a, b-c) apart: slugs have no dots.
        """
        return self._role(f"register-{domain}.{producer}")

    # ---------------------------------------------------------------------------------------------- deployment
    @property
    def boundary(self) -> str:
        """Permission boundary of every role that a stack makes, in each account."""
        return shorten(f"{self._mesh.name}-boundary", MAX_POLICY_NAME)

    @property
    def deploy_boundary(self) -> str:
        """Permission boundary of the deploying role, in each account."""
        return shorten(f"{self._mesh.name}-deploy-boundary", MAX_POLICY_NAME)

    def deploy_policy(self, number: int) -> str:
        """One of the managed policies of the deploying role, in each account."""
        return shorten(f"{self._mesh.name}-deploy-{number}", MAX_POLICY_NAME)

    @property
    def state_bucket(self) -> str:
        """Bucket of the governance account that keeps the state of Pulumi's stacks."""
        tail = f"-{self._mesh.central.account}-{self._mesh.region}"
        head = f"{self._mesh.name}-state".replace("_", "-")
        return shorten(head, MAX_BUCKET_NAME - len(tail)) + tail

    @property
    def state_key_alias(self) -> str:
        """Alias of the key that encrypts that state and the secrets in it."""
        return shorten(f"alias/{self._mesh.name}-pulumi", MAX_ALIAS_NAME)

    @property
    def secrets_provider(self) -> str:
        """That key as `pulumi stack init --secrets-provider` takes it (Go CDK, package awskms, "By alias")."""
        return f"awskms://{self.state_key_alias}?region={self._mesh.region}"

    @property
    def backend(self) -> str:
        """That bucket as `pulumi login` takes it."""
        return f"s3://{self.state_bucket}?region={self._mesh.region}"

    # ----------------------------------------------------------------------------------------------- producers
    def reader_role(self, producer: str) -> str:
        """Role in the producer's account that only central's sync role may assume."""
        return self._role(f"reader-{producer}")

    def external_id(self, producer: str) -> str:
        """What the sync role presents when it assumes the reader role (IAM user guide, "confused deputy")."""
        return f"{self._mesh.name}:{self._mesh.central.account}:{producer}"

    def statements_function(self, producer: str) -> str:
        return self._function(f"policy-statements-{producer}")

    def statements_role(self, producer: str) -> str:
        return self._role(f"policy-statements-{producer}")

    def scan_function(self, producer: str) -> str:
        """Function in the producer's account that looks at samples."""
        return self._function(f"scan-{producer}")

    def scan_role(self, producer: str) -> str:
        return self._role(f"scan-{producer}")

    def scan_rule(self, producer: str) -> str:
        """Rule in the producer's account that starts it."""
        return shorten(f"{self._mesh.name}-scan-{producer}", MAX_RULE_NAME)

    def forwarding_rule(self, producer: str) -> str:
        """Rule in the producer's account that sends events of shared databases to central."""
        return shorten(f"{self._mesh.name}-forward-{producer}", MAX_RULE_NAME)

    def forwarding_role(self, producer: str) -> str:
        """Role that it sends them as."""
        return self._role(f"forward-{producer}")

    def sid_prefix(self, producer: str) -> str:
        """How the mesh finds its statements again in a policy it does not own; a Sid is letters and digits only."""
        plain = "".join(word.capitalize() for word in f"{self._mesh.name}-{producer}".replace("_", "-").split("-"))
        digest = hashlib.sha256(f"{self._mesh.name}/{producer}".encode()).hexdigest()[:6]
        return f"Lakemesh{plain}{digest}"

    # ----------------------------------------------------------------------------------------------- consumers
    def shares_function(self, consumer: str) -> str:
        return self._function(f"accept-shares-{consumer}")

    def shares_role(self, consumer: str) -> str:
        return self._role(f"accept-shares-{consumer}")

    def workgroup(self, consumer: str, principal: str) -> str:
        """Athena workgroup of one principal, in its consumer's account."""
        return shorten(f"{self._mesh.name}-{consumer}.{principal}", MAX_WORKGROUP_NAME)

    def results_bucket(self, consumer: str) -> str:
        """Bucket names are global, so account and region are part of it."""
        account = self._mesh.consumers[consumer].account
        tail = f"-{account}-{self._mesh.region}"
        head = f"{self._mesh.name}-results-{consumer}".replace("_", "-")
        return shorten(head, MAX_BUCKET_NAME - len(tail)) + tail

    def results_prefix(self, consumer: str, principal: str) -> str:
        """Where one principal's results lie in the consumer's results bucket, with a slash at its end."""
        del consumer  # part of the bucket already
        return f"results/{principal}/"

    # ---------------------------------------------------------------------------------------------------- ARNs
    def role_arn(self, account: str, name: str) -> str:
        return f"arn:{self.partition}:iam::{account}:role/{name}"

    def function_arn(self, account: str, name: str) -> str:
        return f"arn:{self.partition}:lambda:{self._mesh.region}:{account}:function:{name}"

    def bucket_arn(self, bucket: str) -> str:
        return f"arn:{self.partition}:s3:::{bucket}"

    def event_bus_arn(self) -> str:
        region, account = self._mesh.region, self._mesh.central.account
        return f"arn:{self.partition}:events:{region}:{account}:event-bus/{self.event_bus}"

    def sync_role_arn(self) -> str:
        return self.role_arn(self._mesh.central.account, self.sync_role)

    def tag_role_arn(self) -> str:
        return self.role_arn(self._mesh.central.account, self.tag_role)

    def registration_role_arn(self, domain: str, producer: str) -> str:
        return self.role_arn(self._mesh.central.account, self.registration_role(domain, producer))

    def reader_role_arn(self, producer: str) -> str:
        return self.role_arn(self._mesh.producers[producer].account, self.reader_role(producer))

    def deploy_role_arn(self, kind: str, name: str = "") -> str:
        """The role that deploys one part. `kind`: central, producer, domain or consumer; `name`: empty for central."""
        match kind:
            case "central" | "domain":
                return self.role_arn(self._mesh.central.account, self._mesh.central.deploy_role)
            case "producer":
                producer = self._mesh.producers[name]
                return self.role_arn(producer.account, producer.deploy_role)
            case "consumer":
                consumer = self._mesh.consumers[name]
                return self.role_arn(consumer.account, consumer.deploy_role)
            case _:
                raise ValueError(f"{kind!r} is no kind of part: central, producer, domain or consumer")

    # -------------------------------------------------------------------------------------------------- stacks
    @staticmethod
    def stack(kind: str, name: str = "") -> str:
        """`central`, `producer-<p>`, `domain-<d>` or `consumer-<c>`."""
        return f"{kind}-{name}" if name else kind

    def _role(self, what: str) -> str:
        return shorten(f"{self._mesh.name}-{what}", MAX_ROLE_NAME)

    def _function(self, what: str) -> str:
        return shorten(f"{self._mesh.name}-{what}", MAX_FUNCTION_NAME)


_PARTITIONS: Final = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
)


def partition_of(region: str) -> str:
    """Partition of a region, by the prefixes in AWS's published partition metadata."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")
