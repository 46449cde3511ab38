"""Arguments of the functions that judge columns: the review in central, and the scans of producers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.column_review import ReviewSettings, ScanningRole, ScanSettings
from components.policy_statements import SharedBucket
from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming
from lakemesh.deploy.bundles import files_of

ARROW_LAYER: Final = "arn:{partition}:lambda:{region}:336392948345:layer:AWSSDKPandas-Python313-Arm64:11"
"""AWS SDK for pandas, "AWS Lambda Managed Layers": it brings pyarrow. Its version differs by region."""
FROM_A_LAYER: Final = ("pyarrow", "pyiceberg")
"""What a layer of the scan brings, or may bring."""


def review_settings(declarations: Declarations, naming: Naming) -> ReviewSettings | None:
    """Of the governance account; None where neither it nor a producer has columns judged."""
    mesh = declarations.mesh
    scanning: list[ScanningRole] = [
        {"producer": name, "role_arn": naming.role_arn(producer.account, naming.scan_role(name))}
        for name, producer in sorted(mesh.producers.items())
        if producer.scan
    ]
    if not scanning and not mesh.classification.after_sync:
        return None
    return {
        "bucket": naming.reviews_bucket,
        "scanning_roles": scanning,
        "after_sync": mesh.classification.after_sync,
        "function": naming.review_function,
        "role": naming.review_role,
        "rule": naming.review_rule,
        "schedule_rule": naming.review_schedule,
        "schedule": mesh.classification.refresh,
        "files": files_of("lakemesh.handlers.review"),
        "data": {"rejected.txt": "".join(f"{each}\n" for each in declarations.rejected)},
    }


def scan_settings(
    declarations: Declarations,
    naming: Naming,
    producer: str,
    tables: Mapping[str, Mapping[str, Any]],
    buckets: Iterable[SharedBucket],
    layer: str,
) -> ScanSettings | None:
    """Of a producer's account; None where it has no samples looked at. `tables`: of the manifest."""
    declared = declarations.mesh.producers[producer]
    if not declared.scan:
        return None
    shared = list(buckets)
    keys = {key for each in shared if (key := each.get("kms_key"))}
    return {
        "producer": producer,
        "function": naming.scan_function(producer),
        "role": naming.scan_role(producer),
        "rule": naming.scan_rule(producer),
        "schedule": declared.scan,
        "prefixes": {
            each["bucket"]: sorted({prefix for reader in each["readers"] for prefix in reader["prefixes"]})
            for each in shared
        },
        "keys": sorted(keys | ({declared.catalog_key} if declared.catalog_key else set())),
        "reviews_bucket": naming.reviews_bucket,
        "files": files_of("lakemesh.handlers.scan", FROM_A_LAYER),
        "data": {"tables.jsonl": "".join(f"{line}\n" for line in _lines(producer, tables))},
        "layers": [layer],
    }


def _lines(producer: str, tables: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for _, table in sorted(tables.items()):
        reviewed = [column["name"] for column in table["columns"] if column["sensitivity"]]
        # A table whose columns are all reviewed is looked at too: new ones are in the catalog before the contract.
        if table["producer"] == producer and table["kind"] == "table":
            names = {"domain": table["domain"], "twin": table["twin"], "database": table["database"]}
            yield json.dumps({**names, "table": table["table"], "reviewed": reviewed}, ensure_ascii=False)
