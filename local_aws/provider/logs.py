"""CloudWatch Logs: log groups."""

from __future__ import annotations

from local_aws.provider.connection import Connection
from local_aws.provider.resource import At, ResourceType, frozen, register, unless
from local_aws.provider.values import Properties

GONE = ("ResourceNotFoundException",)


@register
class LogGroup(ResourceType):
    kind = "aws:cloudwatch/logGroup:LogGroup"
    supported = frozenset({"kmsKeyId", "name", "retentionInDays", "skipDestroy", "tags"})
    defaults = frozen(retentionInDays=0, skipDestroy=False)
    immutable = frozenset({"name"})
    completed = frozenset({"retentionInDays"})
    named = "name"
    longest_name = 512

    def create(self, at: At) -> str:
        wanted = {"logGroupName": at.inputs["name"]}
        if at.inputs.get("kmsKeyId"):
            wanted["kmsKeyId"] = at.inputs["kmsKeyId"]
        tags = at.tags
        at.client("logs").create_log_group(**wanted, **({"tags": tags} if tags else {}))
        return str(at.inputs["name"])

    def configure(self, at: At) -> None:
        self._retention(at.aws, at.id, 0, at.inputs["retentionInDays"])

    def _retention(self, aws: Connection, name: str, old: int, new: int) -> None:
        if new == old:
            return
        if new:
            aws.client("logs").put_retention_policy(logGroupName=name, retentionInDays=new)
        else:
            aws.client("logs").delete_retention_policy(logGroupName=name)

    def read(self, at: At) -> Properties | None:
        groups = at.client("logs").describe_log_groups(logGroupNamePrefix=at.id)["logGroups"]
        found = next((group for group in groups if group["logGroupName"] == at.id), None)
        if found is None:
            return None
        return {
            "arn": found["arn"].removesuffix(":*"),
            "kmsKeyId": found.get("kmsKeyId"),
            "name": at.id,
            "retentionInDays": found.get("retentionInDays", 0),
        }

    def update(self, at: At) -> None:
        logs = at.client("logs")
        self._retention(at.aws, at.id, at.state.get("retentionInDays", 0), at.inputs["retentionInDays"])
        arn = at.aws.arn("logs", f"log-group:{at.id}")
        at.retag(
            lambda keys: logs.untag_resource(resourceArn=arn, tagKeys=keys),
            lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
        )
        if at.inputs.get("kmsKeyId") != at.state.get("kmsKeyId"):
            if at.inputs.get("kmsKeyId"):
                logs.associate_kms_key(logGroupName=at.id, kmsKeyId=at.inputs["kmsKeyId"])
            else:
                logs.disassociate_kms_key(logGroupName=at.id)

    def delete(self, at: At) -> None:
        if not at.state.get("skipDestroy"):
            unless(GONE, lambda: at.client("logs").delete_log_group(logGroupName=at.id))
