"""boto3 clients of one local AWS: as an account's root, and as a role that the account's root may assume."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

SESSION_NAME = "lakemesh-demo"
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=8,
    # The endpoint is an address and a port: bucket names cannot stand before it.
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    connect_timeout=5,
    read_timeout=300,
)


class Clients:
    """Clients against one endpoint and region, each made once.

    On the local AWS an access key that equals an account id is that account's root.
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint = endpoint
        self.region = region
        self._lock = threading.RLock()
        self._made: dict[tuple[str, str], Any] = {}
        self._credentials: dict[str, dict[str, str]] = {}
        # One session for all: each would parse the services' models again.
        self._session: Any = boto3.Session(region_name=region)

    def root(self, service: str, account: str) -> Any:
        """A client as the root of an account."""
        return self._get(service, account)

    def role(self, service: str, role_arn: str) -> Any:
        """A client as a role, assumed by the root of the role's account. Raises ClientError where it may not be."""
        return self._get(service, role_arn)

    def _get(self, service: str, who: str) -> Any:
        # Making clients of one session is not thread-safe; using them is.
        with self._lock:
            if (service, who) not in self._made:
                self._made[service, who] = self._session.client(
                    service, endpoint_url=self.endpoint, config=_CONFIG, **self._credentials_of(who)
                )
            return self._made[service, who]

    def _credentials_of(self, who: str) -> dict[str, str]:
        if not who.startswith("arn:"):
            return {"aws_access_key_id": who, "aws_secret_access_key": "local"}
        if who not in self._credentials:
            sts = self._get("sts", who.split(":")[4])
            answer = sts.assume_role(RoleArn=who, RoleSessionName=SESSION_NAME)["Credentials"]
            self._credentials[who] = {
                "aws_access_key_id": answer["AccessKeyId"],
                "aws_secret_access_key": answer["SecretAccessKey"],
                "aws_session_token": answer["SessionToken"],
            }
        return self._credentials[who]
