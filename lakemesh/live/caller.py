"""Calls to one account, every page of them; a refusal says which account, which call, why, and how to mend it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CONFIG: Final = Config(
    # These APIs publish no rates: `adaptive` slows down when throttled (boto3 guide, "retries").
    retries={"mode": "adaptive", "total_max_attempts": 10},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=16,
    user_agent_extra="lakemesh",
)
SESSION_NAME: Final = "lakemesh-live"
READS: Final = (
    "glue:GetDatabases", "glue:GetTables", "lakeformation:GetDataLakeSettings", "lakeformation:GetResourceLFTags",
    "lakeformation:ListDataCellsFilter", "lakeformation:ListLFTags", "lakeformation:ListPermissions",
    "ram:GetResourceShareInvitations", "ram:GetResourceShares", "ram:ListResources",
)  # fmt: skip
"""Every action that reading an account uses."""
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException"})
_EXPIRED: Final = frozenset({
    "ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException", "InvalidClientTokenId",
})  # fmt: skip

ClientOf = Callable[[str], Any]
"""A boto3 client of the account by the service's name."""


class LiveError(Exception):
    """An account could not be read; the text says which, by which call, why, and how to mend it."""


class Caller:
    """One account. `client`: its clients; `what`: how people call it, such as `consumer treasury`."""

    def __init__(self, account: str, what: str, client: ClientOf) -> None:
        self.account = account
        self.what = what
        self._client = client
        self._clients: dict[str, Any] = {}

    def call(self, service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """One answer. Raises LiveError."""
        try:
            if service not in self._clients:
                self._clients[service] = self._client(service)
            answer: Mapping[str, Any] = getattr(self._clients[service], xform_name(operation))(**parameters)
        except ClientError as error:
            raise self._refused(error, f"{service}:{operation}") from error
        except BotoCoreError as error:
            raise LiveError(
                f"{self.what} ({self.account}): {service}:{operation} failed: {error}. See that the account's endpoint "
                "can be reached and that the credentials are whole, then run it again."
            ) from error
        return answer

    def pages(self, service: str, operation: str, member: str, **parameters: Any) -> Iterator[Any]:
        """Every item of `member`, page by page; the token is spelt as the service spells it. Raises LiveError."""
        name = "nextToken" if service == "ram" else "NextToken"
        token: dict[str, Any] = {}
        while True:
            answer = self.call(service, operation, **parameters, **token)
            yield from answer.get(member) or ()
            following = answer.get(name)
            if not following or {name: following} == token:
                return
            token = {name: following}

    def _refused(self, error: ClientError, call: str) -> LiveError:
        code, message = (str(error.response.get("Error", {}).get(key, "")) for key in ("Code", "Message"))
        text = f"{self.what} ({self.account}): {call} was refused: {code}: {message}"
        if code in _EXPIRED:
            return LiveError(f"{text}\nThe credentials are not valid any more: renew them, then run it again.")
        if code in _DENIED and "Lake Formation permission" in message:
            return LiveError(
                f"{text}\nOnly a data lake administrator sees every grant. The deploying role is one once its stack is "
                "deployed; deploy it, or make the role a (read-only) administrator."
            )
        if code in _DENIED:
            return LiveError(f"{text}\nAllow {call} to the role that reads; `lakemesh bootstrap` writes its policy.")
        return LiveError(f"{text}\nRun it again; if it stays, ask AWS's service health for {call.partition(':')[0]}.")


def assumed(
    account: str, what: str, role: str, region: str, session: Any = None, lock: threading.Lock | None = None
) -> Caller:
    """An account through a role that these credentials may assume, which is asked for when it is first needed.

    `lock`: held while clients of `session` are made, which no two threads may do at once.
    """
    alone = lock or threading.Lock()
    base: Any = session or boto3.Session(region_name=region)
    made: list[Any] = []

    def client(service: str) -> Any:
        with alone:
            if not made:
                made.append(_assume(base, account, what, role, region))
            return made[0].client(service, config=CONFIG)

    return Caller(account, what, client)


def _assume(base: Any, account: str, what: str, role: str, region: str) -> Any:
    try:
        given = base.client("sts", config=CONFIG).assume_role(RoleArn=role, RoleSessionName=SESSION_NAME)["Credentials"]
    except (ClientError, BotoCoreError) as error:
        raise LiveError(
            f"{what} ({account}): sts:AssumeRole of {role} failed: {error}\n"
            "Use credentials of the governance account that may assume the deploying roles, as a deployment does "
            '(docs/bootstrap.md); on the local AWS, `eval "$(lakemesh local env)"` sets them.'
        ) from error
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name=region,
    )
