"""Arguments that every component test starts from; accounts, region and names are not the sample's."""

from __future__ import annotations

import copy
from typing import Any

CENTRAL, PRODUCER, CONSUMER = "900000000001", "900000000002", "900000000003"
PLACE = {"region": "eu-west-3", "partition": "aws"}
ROLE = "arn:aws:iam::{}:role/{}"
HANDLERS = {
    "powertools_layer": "arn:aws:lambda:eu-west-3:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27",
    "log_retention_days": 90,
    "reserved_concurrency": 5,
}
TABLE = {
    "database": "shop_orders",
    "table": "order_line",
    "tags": {"product": "orders"},
    "columns": {"day": {"sensitivity": "internal"}, "email": {}},
    "partition_keys": ["day"],
    "digest": "0123456789abcdef",
}
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "CentralAccount": {
        **PLACE,
        "account": CENTRAL,
        "organization": "o-orchard12345",
        "mesh": "orchard",
        "administrators": [ROLE.format(CENTRAL, "deploy"), ROLE.format(CENTRAL, "Governance")],
        "cross_account_version": "4",
        "ontology": {"sensitivity": ["public", "internal", "unreviewed"], "product": ["orders"], "empty": []},
        "catalog_key_alias": "alias/orchard-catalog",
        "consumer_accounts": [CONSUMER],
        "twins": ["shop_orders", "shop_raw"],
        "reader_role_arns": [ROLE.format(PRODUCER, "orchard-reader-shop")],
        "sync_function": "orchard-sync",
        "sync_role": "orchard-sync",
        "tag_function": "orchard-tag",
        "tag_role": "orchard-tag",
        "event_bus": "orchard",
        "event_rule": "orchard-glue",
        "refresh_rule": "orchard-refresh",
        "refresh": "rate(6 hours)",
        "watch_rule": "orchard-watch",
        "sync_state": "orchard-sync-state",
        "topic_prefix": f"arn:aws:sns:eu-west-3:{CENTRAL}:orchard-",
        "sync_queue": "orchard-sync",
        "dead_letter_queue": "orchard-sync-dead-letters",
        "sync_key_alias": "alias/orchard-sync",
        "manifest": '{"version":1}',
        "handlers": HANDLERS,
    },
    "ProducerAccount": {
        **PLACE,
        "account": PRODUCER,
        "organization": "o-orchard12345",
        "mesh": "orchard",
        "central_account": CENTRAL,
        "sync_role_arn": ROLE.format(CENTRAL, "orchard-sync"),
        "reader_role": "orchard-reader-shop",
        "external_id": "orchard:shop",
        "databases": ["orders", "raw"],
        "governed": True,
        "catalog_key": f"arn:aws:kms:eu-west-3:{PRODUCER}:key/catalog",
        "buckets": [
            {
                "bucket": "shop-lake",
                "kms_key": f"arn:aws:kms:eu-west-3:{PRODUCER}:key/lake",
                "readers": [
                    {"role_arn": ROLE.format(CENTRAL, "orchard-register-sales.shop"), "prefixes": ["orders/", "raw/"]}
                ],
            },
            {
                "bucket": "shop-open",
                "readers": [{"role_arn": ROLE.format(CENTRAL, "orchard-register-sales.shop"), "prefixes": [""]}],
            },
        ],
        "merge": True,
        "sid_prefix": "LakemeshOrchard",
        "statements_function": "orchard-policy-statements-shop",
        "statements_role": "orchard-policy-statements-shop",
        "event_bus_arn": f"arn:aws:events:eu-west-3:{CENTRAL}:event-bus/orchard",
        "event_rule": "orchard-forward-shop",
        "event_role": "orchard-forward-shop",
        "handlers": HANDLERS,
    },
    "Domain": {
        **PLACE,
        "domain": "sales",
        "sync_role_arn": ROLE.format(CENTRAL, "orchard-sync"),
        "tag_role_arn": ROLE.format(CENTRAL, "orchard-tag"),
        "sync_function": "orchard-sync",
        "tag_function": "orchard-tag",
        "locations": [
            {
                "producer": "shop",
                "role": "orchard-register-sales.shop",
                "prefixes": [{"bucket": "shop-lake", "prefix": "orders/"}, {"bucket": "shop-open", "prefix": ""}],
                "kms_keys": [f"arn:aws:kms:eu-west-3:{PRODUCER}:key/lake"],
            }
        ],
        "twins": [
            {"name": "shop_orders", "producer": "shop", "description": "Copy of orders.", "digest": "aaaa"},
            {"name": "shop_raw", "producer": "shop", "description": "Copy of raw.", "digest": "bbbb"},
        ],
        "products": [{"product": "orders", "tables": [TABLE]}],
        "entries": [
            {
                "name": "orders-to-consumer",
                "principal": CONSUMER,
                "permissions": ["SELECT"],
                "grantable": ["SELECT"],
                "tag_policy": {
                    "catalog": CENTRAL,
                    "kind": "TABLE",
                    "expression": {"sensitivity": ["public", "internal"], "product": ["orders"]},
                },
            },
            {
                "name": "shop_orders-to-consumer",
                "principal": CONSUMER,
                "permissions": ["DESCRIBE"],
                "grantable": ["DESCRIBE"],
                "database": {"catalog": CENTRAL, "name": "shop_orders"},
            },
            {
                "name": "order_line-to-consumer",
                "principal": CONSUMER,
                "permissions": ["DESCRIBE"],
                "table": {"catalog": CENTRAL, "database": "shop_orders", "name": "order_line"},
            },
            {
                "name": "some-orders-to-analyst",
                "principal": ROLE.format(CONSUMER, "Analyst"),
                "permissions": ["SELECT"],
                "data_filter": {
                    "catalog": CENTRAL,
                    "database": "shop_orders",
                    "table": "order_line",
                    "name": "order_line-1",
                },
            },
        ],
        "filters": [
            {
                "name": "filter-order_line",
                "catalog": CENTRAL,
                "database": "shop_orders",
                "table": "order_line",
                "filter": "order_line-1",
                "columns": ["note", "email"],
                "rows": "\"note\" = 'a'",
            }
        ],
    },
    "ConsumerAccount": {
        **PLACE,
        "account": CONSUMER,
        "mesh": "orchard",
        "central_account": CENTRAL,
        "administrators": [ROLE.format(CONSUMER, "deploy")],
        "cross_account_version": "4",
        "databases": ["shop_orders"],
        "entries": [
            {
                "name": "orders-to-analyst",
                "principal": ROLE.format(CONSUMER, "Analyst"),
                "permissions": ["SELECT"],
                "tag_policy": {
                    "catalog": CENTRAL,
                    "kind": "TABLE",
                    "expression": {"product": ["orders"], "sensitivity": ["public", "internal"]},
                },
            },
            {
                "name": "link-to-analyst",
                "principal": ROLE.format(CONSUMER, "Analyst"),
                "permissions": ["DESCRIBE"],
                "database": {"catalog": CONSUMER, "name": "shop_orders"},
            },
        ],
        "shares_digest": "cccc",
        "shares_function": "orchard-accept-shares-desk",
        "shares_role": "orchard-accept-shares-desk",
        "results_bucket": "orchard-results-desk",
        "result_retention_days": 14,
        "workgroups": [
            {
                "principal": "analyst",
                "name": "orchard-desk.analyst",
                "role_arn": ROLE.format(CONSUMER, "Analyst"),
                "prefix": "results/analyst/",
            },
            {
                "principal": "auditor",
                "name": "orchard-desk.auditor",
                "role_arn": ROLE.format(CONSUMER, "Auditor"),
                "prefix": "results/auditor/",
            },
        ],
        "handlers": HANDLERS,
    },
    "TableTags": {"function": "orchard-tag", "product": "orders", "tables": [TABLE]},
}


def arguments_of(component: str, **changes: Any) -> Any:
    """The arguments of a component, with some of them changed."""
    return {**copy.deepcopy(_ARGUMENTS[component]), **changes}
