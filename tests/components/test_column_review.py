"""The review of columns in central and the scan of samples in a producer's account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.catalog_access import DECIDE_ACCESS
from components.column_review import ColumnReview, ColumnScan
from tests.components.build import build
from tests.components.given import CENTRAL, HANDLERS, PLACE, PRODUCER, ROLE
from tests.program.engine import Engine

BUCKET = "orchard-reviews"
FINDINGS = f"arn:aws:s3:::{BUCKET}"
SCAN_ROLES = {"shop": ROLE.format(PRODUCER, "orchard-scan-shop"), "mill": ROLE.format("900000000004", "orchard-scan")}
CATALOG_KEY = f"arn:aws:kms:eu-west-3:{CENTRAL}:key/catalog"
LAKE_KEY = f"arn:aws:kms:eu-west-3:{PRODUCER}:key/lake"
LAYER = "arn:aws:lambda:eu-west-3:336392948345:layer:AWSSDKPandas-Python313-Arm64:4"
FILES = {"lakemesh/__init__.py": str(Path(__file__))}


def review_arguments(**changes: Any) -> Any:
    review = {
        "bucket": BUCKET,
        "scanning_roles": [{"producer": name, "role_arn": arn} for name, arn in SCAN_ROLES.items()],
        "after_sync": True,
        "function": "orchard-review",
        "role": "orchard-review",
        "rule": "orchard-review-events",
        "schedule_rule": "orchard-review-schedule",
        "schedule": "rate(1 day)",
        "files": FILES,
        "data": {},
    }
    return {
        **PLACE,
        "account": CENTRAL,
        "organization": "o-orchard12345",
        "mesh": "orchard",
        "twins": ["shop_orders", "shop_raw"],
        "catalog_key_arn": CATALOG_KEY,
        "manifest": '{"version":1}',
        "review": review | changes,
        "handlers": HANDLERS,
    }


def scan_arguments(*, governed: bool = True, databases: tuple[str, ...] = ("raw", "orders"), **changes: Any) -> Any:
    scan = {
        "producer": "shop",
        "function": "orchard-scan-shop",
        "role": "orchard-scan-shop",
        "rule": "orchard-scan-shop",
        "schedule": "rate(7 days)",
        "prefixes": {"shop-lake": ["raw/", "orders/", "raw/"]},
        "keys": [LAKE_KEY, LAKE_KEY],
        "reviews_bucket": BUCKET,
        "files": FILES,
        "data": {"scan.json": "{}"},
        "layers": [LAYER],
    }
    return {
        **PLACE,
        "account": PRODUCER,
        "mesh": "orchard",
        "central_account": CENTRAL,
        "databases": databases,
        "governed": governed,
        "scan": scan | changes,
        "handlers": HANDLERS,
    }


@pytest.fixture(scope="module")
def review() -> Engine:
    return build(Engine(), ColumnReview, review_arguments())


@pytest.fixture(scope="module")
def scan() -> Engine:
    return build(Engine(), ColumnScan, scan_arguments())


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in json.loads(document)["Statement"]}


def role_policy(engine: Engine) -> dict[str, dict[str, Any]]:
    return statements(engine.one("RolePolicy", "it-function-policy")["policy"])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed_actions(found: dict[str, dict[str, Any]]) -> set[str]:
    return {action for one in found.values() if one["Effect"] == "Allow" for action in listed(one["Action"])}


# ---------------------------------------------------------------------------------------------- the bucket of findings
def test_the_bucket_is_private_encrypted_and_has_one_owner(review: Engine) -> None:
    private = review.one("BucketPublicAccessBlock")
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert [private[switch] for switch in switches] == [True] * 4
    assert review.one("BucketOwnershipControls")["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    (rule,) = review.one("BucketServerSideEncryptionConfiguration")["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}


def test_the_bucket_takes_requests_over_tls_only(review: Engine) -> None:
    found = statements(review.one("BucketPolicy")["policy"])["OnlyOverTls"]
    assert (found["Effect"], found["Principal"], found["Action"]) == ("Deny", "*", "s3:*")
    assert found["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert sorted(found["Resource"]) == [FINDINGS, f"{FINDINGS}/*"]


def test_each_producers_scan_has_its_own_prefix_by_its_own_role_of_the_organization(review: Engine) -> None:
    found = statements(review.one("BucketPolicy")["policy"])
    own = {
        one["Condition"]["ArnEquals"]["aws:PrincipalArn"]: (listed(one["Resource"]), one["Principal"]["AWS"])
        for sid, one in found.items()
        if sid.startswith("OwnFindings")
    }
    assert own == {
        SCAN_ROLES["shop"]: ([f"{FINDINGS}/scans/shop/*"], f"arn:aws:iam::{PRODUCER}:root"),
        SCAN_ROLES["mill"]: ([f"{FINDINGS}/scans/mill/*"], "arn:aws:iam::900000000004:root"),
    }
    conditions = [one["Condition"] for one in found.values() if one["Effect"] == "Allow"]
    assert {each["StringEquals"]["aws:PrincipalOrgID"] for each in conditions} == {"o-orchard12345"}
    assert all("ArnEquals" in each for each in conditions)
    assert allowed_actions(found) == {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}


def test_the_policy_waits_for_the_public_access_block(review: Engine) -> None:
    assert review.waits_for(review.one("BucketPolicy"), review.one("BucketPublicAccessBlock"))


def test_the_order_in_which_scanning_roles_are_named_changes_nothing(review: Engine) -> None:
    roles = [{"producer": name, "role_arn": arn} for name, arn in reversed(SCAN_ROLES.items())]
    other = build(Engine(), ColumnReview, review_arguments(scanning_roles=roles))
    assert other.one("BucketPolicy")["policy"] == review.one("BucketPolicy")["policy"]


# ------------------------------------------------------------------------------------------------ the review's function
def test_the_review_describes_twins_keeps_findings_and_does_nothing_else(review: Engine) -> None:
    found = role_policy(review)
    assert allowed_actions(found) - {"logs:CreateLogStream", "logs:PutLogEvents"} == {
        "kms:Decrypt",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    }
    assert listed(found["Findings"]["Resource"]) == [f"{FINDINGS}/metadata/*"]
    assert listed(found["CatalogKey"]["Resource"]) == [CATALOG_KEY]
    assert found["CatalogKey"]["Condition"] == {"StringEquals": {"kms:ViaService": "glue.eu-west-3.amazonaws.com"}}
    assert found["NeverDecidesAccess"]["Effect"] == "Deny"
    assert set(DECIDE_ACCESS) <= set(found["NeverDecidesAccess"]["Action"])
    twins = json.loads(review.one("Policy")["policy"])["Statement"]
    assert {action for one in twins for action in listed(one["Action"])} == {"glue:GetTable", "glue:GetTables"}
    resources = {arn for one in twins for arn in listed(one["Resource"])}
    catalog = f"arn:aws:glue:eu-west-3:{CENTRAL}"
    assert resources == {f"{catalog}:catalog"} | {
        f"{catalog}:{kind}" for twin in ("shop_orders", "shop_raw") for kind in (f"database/{twin}", f"table/{twin}/*")
    }


def test_the_review_runs_after_the_sync_wrote_and_on_its_schedule(review: Engine) -> None:
    events, every = review.one("EventRule", "it-events"), review.one("EventRule", "it-schedule")
    assert json.loads(events["eventPattern"])["detail"] == {"databaseName": ["shop_orders", "shop_raw"]}
    assert every["scheduleExpression"] == "rate(1 day)"
    # An event arrives as it is; the schedule says what is to be done.
    assert "input" not in review.one("EventTarget", "it-events-target").inputs
    assert json.loads(review.one("EventTarget", "it-schedule-target")["input"]) == {"action": "review"}


@pytest.mark.parametrize("name", ["it-events", "it-schedule"])
def test_a_rule_may_invoke_the_review_before_it_has_it_as_target(review: Engine, name: str) -> None:
    permission = review.one("Permission", f"{name}-permission")
    rule = review.one("EventRule", name)["name"]
    assert permission["principal"] == "events.amazonaws.com"
    assert permission["sourceArn"].endswith(f":rule/{rule}")
    assert review.waits_for(review.one("EventTarget", f"{name}-target"), permission)


def test_without_a_review_after_the_sync_the_bucket_is_there_for_the_scans() -> None:
    engine = build(Engine(), ColumnReview, review_arguments(after_sync=False))
    assert engine.one("Bucket")["bucket"] == BUCKET
    assert not any(engine.of(kind) for kind in ("Function", "Role", "EventRule", "EventTarget"))


def test_a_mesh_without_twins_has_a_review_that_describes_nothing() -> None:
    engine = build(Engine(), ColumnReview, {**review_arguments(), "twins": []})
    assert engine.of("Policy") == []
    assert not any(action.startswith("glue:") for action in allowed_actions(role_policy(engine)))


# --------------------------------------------------------------------------------------------------- a producer's scan
def test_the_scan_reads_shared_prefixes_and_keeps_findings_under_its_own(scan: Engine) -> None:
    found = role_policy(scan)
    assert listed(found["Samples"]["Resource"]) == ["arn:aws:s3:::shop-lake/orders/*", "arn:aws:s3:::shop-lake/raw/*"]
    assert listed(found["Samples"]["Action"]) == ["s3:GetObject"]
    assert listed(found["FindSamples"]["Resource"]) == ["arn:aws:s3:::shop-lake"]
    assert listed(found["Findings"]["Resource"]) == [f"{FINDINGS}/scans/shop/*"]
    assert listed(found["Databases"]["Action"]) == ["glue:GetTable"]
    writes = {sid for sid, one in found.items() if one["Effect"] == "Allow" and "s3:PutObject" in listed(one["Action"])}
    assert writes == {"Findings"}
    assert set(DECIDE_ACCESS) <= set(found["NeverDecidesAccess"]["Action"])


def test_the_scan_uses_keys_through_glue_and_s3_only(scan: Engine) -> None:
    keys = role_policy(scan)["Keys"]
    assert (listed(keys["Action"]), listed(keys["Resource"])) == (["kms:Decrypt"], [LAKE_KEY])
    through = keys["Condition"]["StringEquals"]["kms:ViaService"]
    assert sorted(through) == ["glue.eu-west-3.amazonaws.com", "s3.eu-west-3.amazonaws.com"]


def test_the_scan_knows_where_its_findings_go_and_whose_bucket_that_is(scan: Engine) -> None:
    function = scan.one("Function")
    variables = function["environment"]["variables"]
    assert {name: variables[name] for name in ("PRODUCER", "PRODUCER_ACCOUNT", "REVIEWS_BUCKET", "REVIEWS_OWNER")} == {
        "PRODUCER": "shop",
        "PRODUCER_ACCOUNT": PRODUCER,
        "REVIEWS_BUCKET": BUCKET,
        "REVIEWS_OWNER": CENTRAL,
    }
    assert function["layers"] == [HANDLERS["powertools_layer"], LAYER]


def test_the_scan_starts_by_its_schedule(scan: Engine) -> None:
    assert scan.one("EventRule")["scheduleExpression"] == "rate(7 days)"
    assert json.loads(scan.one("EventTarget")["input"]) == {"action": "scan"}
    assert scan.waits_for(scan.one("EventTarget"), scan.one("Permission"))


def test_where_lake_formation_decides_the_scan_describes_and_never_selects(scan: Engine) -> None:
    grants = scan.of("Permissions")
    assert {each.name for each in grants} == {
        f"it-{database}{suffix}" for database in ("orders", "raw") for suffix in ("", "-tables")
    }
    assert {permission for each in grants for permission in each["permissions"]} == {"DESCRIBE"}


def test_where_iam_decides_the_scan_has_no_grant_of_lake_formation() -> None:
    assert build(Engine(), ColumnScan, scan_arguments(governed=False)).of("Permissions") == []


def test_a_scan_without_anything_shared_reads_nothing() -> None:
    found = role_policy(build(Engine(), ColumnScan, scan_arguments(databases=(), prefixes={}, keys=[])))
    assert not {"Databases", "Samples", "FindSamples", "Keys"} & found.keys()
    assert {"Findings", "FindFindings", "NeverDecidesAccess"} <= found.keys()
