"""Users of one workgroup read each other's results."""

from __future__ import annotations

from tests.policies.baseline import (
    CENTRAL,
    CONSUMER,
    CONSUMER_ACCOUNT,
    CONTROLLER,
    LATER,
    consumer,
    describe,
)

RULE = "a-workgroup-for-each-principal"
RESOURCE = "workgroup"
REFERENCE = "https://docs.aws.amazon.com/athena/latest/ug/lf-athena-limitations.html"


def program() -> None:
    consumer(
        more={
            "controller-reads": (
                CONSUMER_ACCOUNT["reads"][0],
                {**CONSUMER_ACCOUNT["reads"][1], "principal": CONTROLLER},
                LATER,
            ),
            **{
                f"controller-{database}-{catalog}": describe(CONTROLLER, catalog, database)
                for catalog, database in (
                    (CENTRAL, "ar_curated"),
                    (CENTRAL, "ar_raw"),
                    (CONSUMER, "ar_curated"),
                    (CONSUMER, "ar_raw"),
                    (CONSUMER, "default"),
                )
            },
        }
    )
