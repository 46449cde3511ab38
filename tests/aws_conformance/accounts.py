"""The accounts that checks talk to: sandbox accounts by their profiles, or those of a local AWS."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from tests.aws_conformance.guard import Guard
from tests.aws_conformance.made import Undo
from tests.aws_conformance.waiting import eventually, patiently

OWNER, RECIPIENT, PRODUCER = "710000000001", "720000000002", "730000000003"
"""Accounts of the local AWS: an access key that is an account's id acts as its administrator."""
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 5},
    # The local AWS is an address and a port: bucket names cannot stand before it. AWS takes both ways.
    s3={"addressing_style": "path"},
    # Limits are AWS's to refuse.
    parameter_validation=False,
    connect_timeout=10,
)
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal: Any, **condition: Any) -> str:
    """A trust policy. `condition`: a Condition element's operators."""
    more = {"Condition": condition} if condition else {}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def allow(*actions: str, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


@dataclass
class Account:
    """Somebody in an account: `account("glue")` is a client of theirs."""

    session: Any
    region: str
    endpoint: str | None
    guard: Guard
    arn: str = ""
    """Of whoever acts: a role's IAM ARN, not its session's."""
    profile: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict)

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            made = self.session.client(service, region_name=self.region, endpoint_url=self.endpoint, config=_CONFIG)
            self.guard.watch(made)
            self._clients[service] = made
        return self._clients[service]

    @property
    def id(self) -> str:
        return self.arn.split(":")[4]

    @property
    def root(self) -> dict[str, str]:
        """The account as a policy's Principal."""
        return {"AWS": f"arn:{self.partition}:iam::{self.id}:root"}

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1]

    def s3_arn(self, path: str) -> str:
        return f"arn:{self.partition}:s3:::{path}"

    def identify(self) -> Account:
        """Find out who acts. A role's session is told by the ARN of its role, which Lake Formation knows it by."""
        arn = str(self("sts").get_caller_identity()["Arn"])
        if ":assumed-role/" in arn:
            arn = str(self("iam").get_role(RoleName=arn.split("/")[1])["Role"]["Arn"])
        self.arn = arn
        return self

    def assume(self, role: str, **more: Any) -> dict[str, Any]:
        """AssumeRole's answer, at once or not at all."""
        return dict(self("sts").assume_role(RoleArn=role, RoleSessionName=self.guard.prefix, **more))

    def become(self, role: str, **more: Any) -> Account:
        """This account as one of its roles, which has to trust it; waits until the role can be assumed."""
        given = eventually(partial(self.assume, role, **more))["Credentials"]
        session = boto3.Session(
            profile_name=self.profile,  # its endpoints, proxies and certificates; not its credentials
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        return Account(session, self.region, self.endpoint, self.guard, role, self.profile)

    def role(self, undo: Undo, name: str, trusted: str, *statements: Mapping[str, Any]) -> str:
        """A role of this account, with an inline policy where statements are given; its ARN."""
        iam = self("iam")
        undo.later(iam.delete_role, RoleName=name)
        undo.later(iam.delete_role_policy, RoleName=name, PolicyName="conformance")
        made = patiently(iam.create_role, RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]
        if statements:
            self.policy(name, *statements)
        return str(made["Arn"])

    def policy(self, role: str, *statements: Mapping[str, Any]) -> None:
        """Replace the inline policy of a role."""
        patiently(
            self("iam").put_role_policy,
            RoleName=role, PolicyName="conformance", PolicyDocument=document(*statements),
        )  # fmt: skip

    def bucket(self, undo: Undo, name: str) -> str:
        """A bucket of this account, emptied and deleted at the end."""
        s3 = self("s3")
        undo.later(s3.delete_bucket, Bucket=name)
        undo.later(self._empty, bucket=name)
        where = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        patiently(s3.create_bucket, Bucket=name, **where)
        return name

    def _empty(self, bucket: str) -> None:
        s3 = self("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for found in page.get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=found["Key"])


@dataclass(frozen=True)
class Accounts:
    """Who takes part. `local`: on the local AWS, which is what some answers are asked for."""

    owner: Account
    recipient: Account
    producer: Account | None
    local: bool
    guard: Guard
    started: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @property
    def everyone(self) -> tuple[Account, ...]:
        return (self.owner, self.recipient, *([self.producer] if self.producer else ()))


def local(endpoint: str, region: str, prefix: str) -> Accounts:
    """The accounts of a local AWS."""
    guard = Guard(may_change_settings=True, prefix=prefix)

    def account(name: str) -> Account:
        session = boto3.Session(aws_access_key_id=name, aws_secret_access_key="local")
        return Account(session, region, endpoint, guard).identify()

    return Accounts(account(OWNER), account(RECIPIENT), account(PRODUCER), local=True, guard=guard)


def real(
    owner: str, recipient: str, producer: str | None, region: str, prefix: str, *, may_change_settings: bool
) -> Accounts:
    """Sandbox accounts by the profiles of their administrators. Raises ValueError where two are the same account."""
    guard = Guard(may_change_settings=may_change_settings, prefix=prefix)

    def account(profile: str) -> Account:
        return Account(boto3.Session(profile_name=profile), region, None, guard, profile=profile).identify()

    found = Accounts(
        account(owner), account(recipient), account(producer) if producer else None, local=False, guard=guard
    )
    ids = [each.id for each in found.everyone]
    if len(set(ids)) != len(ids):
        raise ValueError(f"the profiles lead to the same account: {', '.join(ids)}; checks need different ones")
    return found
