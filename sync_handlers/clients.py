"""boto3 clients, all made here: one retry policy, one way to become a producer's reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ResponseStreamingError

from sync_handlers.errors import NotDeployedError, deploy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_lakeformation.client import LakeFormationClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_ram.client import RAMClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sts.client import STSClient

    from sync_handlers.manifest import Producer

# Glue and Lake Formation publish no rates: `adaptive` slows down when throttled and backs off with jitter (boto3 guide,
# "retries").
CONFIG = Config(
    retries={"mode": "adaptive", "total_max_attempts": 10},
    connect_timeout=5,
    read_timeout=60,
    user_agent_extra="lakemesh",
)
# The sync paces and repeats its calls itself, an account and an API at a time (`pacing`); a client knows neither.
PACED = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
SESSION_NAME = "lakemesh-sync"
SESSION_SECONDS = 1800
"""Longer than a function can run, shorter than the hour that chained roles are limited to (STS API, AssumeRole)."""


def glue() -> GlueClient:
    return boto3.client("glue", config=CONFIG)


def catalog() -> GlueClient:
    """Glue for the sync's own catalog: each call is made once, and repeated by who calls (`pacing`)."""
    return _whole_answers(boto3.client("glue", config=PACED))


def lakeformation() -> LakeFormationClient:
    return boto3.client("lakeformation", config=CONFIG)


def ram() -> RAMClient:
    return boto3.client("ram", config=CONFIG)


def s3() -> S3Client:
    return boto3.client("s3", config=CONFIG)


def kms() -> KMSClient:
    return boto3.client("kms", config=CONFIG)


def sqs() -> SQSClient:
    return boto3.client("sqs", config=CONFIG)


def functions() -> LambdaClient:
    """Lambda, for a call that waits: as long as a function may run, and not twice."""
    return boto3.client("lambda", config=CONFIG.merge(Config(read_timeout=890, retries={"total_max_attempts": 1})))


def reader(producer: Producer) -> GlueClient:
    """Glue as the producer's reader role, each call made once as by `catalog`; NotDeployedError when it cannot be
    assumed."""
    return _whole_answers(boto3.client("glue", config=PACED, **_as_reader(producer)))


def reader_permissions(producer: Producer) -> LakeFormationClient:
    """Lake Formation as the producer's reader role, to ask what that role sees; raises like `reader`."""
    return boto3.client("lakeformation", config=CONFIG, **_as_reader(producer))


def state() -> DynamoDBClient:
    return boto3.client("dynamodb", config=CONFIG)


def topics() -> SNSClient:
    return boto3.client("sns", config=CONFIG)


def _whole_answers(client: GlueClient) -> GlueClient:
    """The client, for which an answer that was cut short is a fault of the network: botocore takes a body that is no
    JSON for an answer without any member, and a listing without any partition would read as all of them gone."""
    client.meta.events.register("after-call.glue", _refuse_cut)
    return client


def _refuse_cut(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
    """Raises ResponseStreamingError, after which a call is made again (`pacing`)."""
    if http_response.status_code >= 300 or parsed.keys() - {"ResponseMetadata"} or not http_response.content:
        return
    try:
        json.loads(http_response.content)
    except ValueError as error:
        raise ResponseStreamingError(error=f"the answer to {model.name} was cut short: {error}") from error


def _as_reader(producer: Producer) -> Any:
    """Credentials of the reader role, as arguments of a client."""
    sts: STSClient = boto3.client("sts", config=CONFIG)
    try:
        credentials = sts.assume_role(
            RoleArn=producer.reader_role,
            RoleSessionName=SESSION_NAME,
            ExternalId=producer.external_id,
            DurationSeconds=SESSION_SECONDS,
        )["Credentials"]
    except ClientError as error:
        if code(error) not in {"AccessDenied", "AccessDeniedException", "NoSuchEntity", "ValidationError"}:
            raise
        raise NotDeployedError(
            f"Producer {producer.name}: the reader role {producer.reader_role} cannot be assumed ({code(error)}). The "
            f"role and its trust are made by that producer's stack: {deploy(producer.stack)}."
        ) from error
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def code(error: ClientError) -> str:
    """The service's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def denied(error: ClientError) -> bool:
    return code(error) in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


def text(error: ClientError) -> str:
    """Code and message of an error answer, without the SDK's wording around them."""
    return f"{code(error)}: {error.response.get('Error', {}).get('Message', '')}"
