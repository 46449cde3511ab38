"""Two workgroups put their results in one place."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
    workgroup,
)

RULE = "a-workgroup-for-each-principal"
RESOURCE = "workgroup"


def program() -> None:
    consumer(more={"second": workgroup("analyst")})
