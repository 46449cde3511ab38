"""Results are not encrypted."""

from __future__ import annotations

from tests.policies.baseline import (
    consumer,
)

RULE = "workgroups-are-enforced-and-encrypted"
RESOURCE = "workgroup"


def program() -> None:
    consumer(
        {
            "workgroup": {
                "configuration": {
                    "enforce_workgroup_configuration": True,
                    "result_configuration": {"output_location": "s3://results/analyst/"},
                }
            }
        }
    )
