"""Each query chooses where its results go."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
    workgroup,
)

RULE = "workgroups-are-enforced-and-encrypted"
RESOURCE = "workgroup"


def program() -> None:
    consumer(
        {
            "workgroup": {
                "configuration": {**workgroup("analyst")[1]["configuration"], "enforce_workgroup_configuration": False}
            }
        }
    )
