"""Meshes that the sample is not: other names, other partitions, very many databases, pipelines and people."""

from __future__ import annotations

from typing import Any

from lakemesh.declarations.models import Consumer, Declarations, Mesh, TagKey

GITHUB = {"repository": "acme/data-mesh", "environments": ["production"]}
ENGINEER = "arn:aws:iam::999900001111:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_DataPlatform_0a1b2c"


def declarations(
    name: str = "mesh",
    region: str = "eu-central-1",
    databases: int = 2,
    consumers: int = 1,
    administrators: int = 1,
    **central: Any,
) -> Declarations:
    """A mesh of one producer, one domain and some consumers."""
    entries = {f"c{n}": f"{n + 3:012d}" for n in range(consumers)}
    mesh = Mesh.model_validate(
        {
            "name": name,
            "organization": {"id": "o-zzzz000011"},
            "region": region,
            "central": {"account": "000000000001", **central},
            "producers": {"p": {"account": "000000000002", "owner": "p", "buckets": {"p-lake": {}}}},
            "domains": {
                "d": {
                    "owner": "d",
                    "approvers": ["x"],
                    "sources": [
                        {
                            "producer": "p",
                            "database": f"a_rather_long_database_name_{n:04d}",
                            "prefixes": [f"s3://p-lake/{n}/"],
                        }
                        for n in range(databases)
                    ],
                }
            },
            "consumers": {consumer: {"account": account, "owner": "c"} for consumer, account in entries.items()},
            "deployment": {"github": GITHUB, "people": [ENGINEER]},
        }
    )
    return Declarations(
        mesh=mesh,
        tags={"sensitivity": TagKey(values=("public",))},
        products={},
        grants={},
        consumers={
            consumer: Consumer(
                account=account,
                administrators=tuple(
                    f"arn:aws:iam::{account}:role/data/platform/LakeAdministrator{n}" for n in range(administrators)
                ),
            )
            for consumer, account in entries.items()
        },
    )
