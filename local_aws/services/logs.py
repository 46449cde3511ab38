"""CloudWatch Logs: moto's log groups, and `append` for what a Lambda function prints."""

from __future__ import annotations

import time

from moto.logs.models import LogsBackend, logs_backends

from local_aws.services import iam, metrics
from local_aws.services.calls import LOCK, allow
from local_aws.services.identity import Identity

allow(
    "logs",
    "CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups", "PutRetentionPolicy", "DeleteRetentionPolicy",
    "ListTagsForResource", "TagResource", "UntagResource", "ListTagsLogGroup",
    "CreateLogStream", "DescribeLogStreams", "PutLogEvents", "GetLogEvents", "FilterLogEvents",
)  # fmt: skip


def append(identity: Identity, region: str, group: str, stream: str, lines: list[str]) -> bool:
    """Write lines as `identity`; False where its policies do not let it, and then the lines are lost, as on Lambda.

    Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs" (execution role).
    """
    arn = f"arn:aws:logs:{region}:{identity.account}:log-group:{group}"
    with LOCK:  # as moto's own calls are made
        return _append(identity, logs_backends[identity.account][region], arn, (group, stream), lines)


def _append(identity: Identity, backend: LogsBackend, arn: str, place: tuple[str, str], lines: list[str]) -> bool:
    group, stream = place
    if group not in backend.groups:
        if not iam.permitted(identity, "logs:CreateLogGroup", arn):
            return False
        backend.create_log_group(group, {})
    needed = ("logs:CreateLogStream", f"{arn}:*"), ("logs:PutLogEvents", f"{arn}:log-stream:{stream}")
    if not all(iam.permitted(identity, action, resource) for action, resource in needed):
        return False
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    now = int(time.time() * 1000)
    if lines:
        backend.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])
        metrics.extract(identity.account, backend.region_name, lines)
    return True
