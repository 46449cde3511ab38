"""A local AWS for tests: one server a process, its state forgotten before each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_aws.server import LocalAws
from local_aws.services import calls, endpoint, identity

ACCOUNT = "111122223333"
REGION = "eu-west-1"
_SESSION = boto3.session.Session()
_CONFIG = Config(retries={"max_attempts": 0}, parameter_validation=False)


class Clients:
    """boto3 clients of one local AWS: `client("glue")` is an account's administrator, `client.role(arn, "glue")` a role."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._made: dict[tuple[str, ...], Any] = {}

    def __call__(self, service: str, account: str = ACCOUNT, region: str = REGION) -> Any:
        return self._client(service, region, account, "unused", None)

    def role(self, role_arn: str, service: str, region: str = REGION) -> Any:
        """A client with a session of the role; its trust policy is not asked."""
        made = identity.issue(identity.role(role_arn, "test"))
        return self._client(service, region, made.access_key_id, made.secret_access_key, made.session_token)

    def _client(self, service: str, region: str, key: str, secret: str, token: str | None) -> Any:
        made = self._made.get((service, region, key))
        if made is None:
            made = self._made[service, region, key] = _SESSION.client(
                service, region_name=region, endpoint_url=self.endpoint, config=_CONFIG,
                aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
            )  # fmt: skip
        return made


@pytest.fixture(scope="session")
def _server() -> Iterator[tuple[LocalAws, Clients]]:
    with LocalAws().start() as aws:
        yield aws, Clients(aws.endpoint)


@pytest.fixture
def aws(_server: tuple[LocalAws, Clients]) -> LocalAws:
    """The running local AWS, empty."""
    # Functions are given the address of the server that started last: another test of this process may have had its own.
    endpoint.set_url(_server[0].endpoint)
    calls.reset()
    return _server[0]


@pytest.fixture
def client(aws: LocalAws, _server: tuple[LocalAws, Clients]) -> Clients:
    """Makes boto3 clients of `aws`."""
    return _server[1]
