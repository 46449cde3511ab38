"""Compliant programs with one field changed, and exactly what the rules then say: mostly nothing.

The corpus of `bad/` shows what each rule refuses; these show where it stops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi_aws as aws

from tests.policies import baseline as b
from tests.policies.baseline import BARE, CENTRAL, CONSUMER, LATER, document, expression

Found = set[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """A program, what the pack is configured with, and what it says."""

    program: Callable[[], None]
    expected: Found = field(default_factory=set)
    mesh: Callable[[dict[str, Any]], Any] | None = None
    config: dict[str, dict[str, Any]] = field(default_factory=dict)
    manifest: bool = True


CASES: dict[str, Case] = {}


def add(name: str, program: Callable[[], None], expected: Found | None = None, **more: Any) -> None:
    assert name not in CASES
    CASES[name] = Case(program, expected or set(), **more)


TREASURY = "555566667777"
CASH_DESK = f"arn:aws:iam::{TREASURY}:role/TreasuryCashDesk"
EXCEPTION = {
    "rule": "hybrid-access-is-an-exception",
    "resource": "loc*",
    "reason": "Migration of old jobs",
    "owner": "ines.moreau@acme.example",
    "expires": "2030-06-30",
}


def contacts(**column_tags: str) -> dict[str, b.Declared]:
    """A table with an e-mail column, and LF-Tags of that column."""
    table = {"database_name": "ar_curated", "name": "contacts"}
    described = {"columns": [{"name": "e_mail", "type": "string"}]}
    tags = {
        f"contacts-{key}": (
            aws.lakeformation.ResourceLfTag,
            {"table_with_columns": {**table, "column_names": ["e_mail"]}, "lf_tag": {"key": key, "value": value}},
            LATER,
        )
        for key, value in column_tags.items()
    }
    return {"contacts": (aws.glue.CatalogTable, {**table, "storage_descriptor": described}, BARE), **tags}


def permissions(principal: str, *held: str, opts: Any = LATER, **on: Any) -> b.Declared:
    return aws.lakeformation.Permissions, {"principal": principal, "permissions": list(held), **on}, opts


def tag(value: str = "restricted", key: str = "sensitivity", **on: Any) -> b.Declared:
    return aws.lakeformation.ResourceLfTag, {**on, "lf_tag": {"key": key, "value": value}}, LATER


def only(document: dict[str, Any], grant: str, **changes: Any) -> None:
    """Leave one grant in the declarations, changed."""
    document["grants"] = [{**each, **changes} for each in document["grants"] if each["id"] == grant]


def local(name: str) -> str:
    return f"arn:aws:iam::{CENTRAL}:role/{name}"


# ------------------------------------------------------------------------------------------------------------ tagging
whole = {"table": {"database_name": "ar_curated", "name": "contacts"}}
every = {"table": {"database_name": "ar_curated", "wildcard": True}}
add("a hidden table hides its columns", lambda: b.domain(more={**contacts(), "hidden": tag(**whole)}))
add("hidden tables of a database hide their columns", lambda: b.domain(more={**contacts(), "hidden": tag(**every)}))
add("a sensitivity of the column is its review", lambda: b.domain(more=contacts(sensitivity="public")))
add(
    "another tag of the column is no review",
    lambda: b.domain(more=contacts(layer="curated")),
    {("sensitive-columns-carry-sensitivity", "contacts")},
)
add(
    "names of sensitive columns are configured",
    lambda: b.domain(more=contacts()),
    config={"sensitive-columns-carry-sensitivity": {"names": "rate"}},
)
add(
    "a table of a resource link has no columns to tag",
    lambda: b.domain(
        more={
            "table-link": (
                aws.glue.CatalogTable,
                {
                    "name": "iban_link",
                    "database_name": "ar_curated",
                    "partition_keys": [{"name": "iban", "type": "string"}],
                    "target_table": {"catalog_id": b.PRODUCER, "database_name": "x", "name": "y"},
                },
                BARE,
            )
        }
    ),
)
plural = (
    aws.lakeformation.ResourceLfTags,
    {
        "database": {"name": "ar_curated"},
        "lf_tags": [{"key": "domain", "value": "ar"}, {"key": "sensitivity", "value": "unreviewed"}],
    },
    LATER,
)
add(
    "plural tags that tag alone are fine, on a twin as well",
    lambda: b.domain({"twin-domain": None, "twin-sensitivity": None}, {"both": plural}),
)
add(
    "databases can be asked for other keys",
    b.domain,
    {("databases-carry-domain-and-sensitivity", "twin")},
    config={"databases-carry-domain-and-sensitivity": {"keys": ["layer"]}},
)
add(
    "a table whose partition keys are tagged as a whole is reviewed",
    lambda: b.domain(
        {
            "columns": {
                "table_with_columns": {
                    "database_name": "ar_curated",
                    "name": "reference_rates",
                    "column_names": ["rate"],
                }
            }
        },
        {"table-tag": tag("internal", table={"database_name": "ar_curated", "name": "reference_rates"})},
    ),
)
add(
    "unreviewed columns make no table readable",
    lambda: b.domain(
        {
            "columns": {"lf_tag": {"key": "sensitivity", "value": "unreviewed"}},
            "email-column": {"lf_tag": {"key": "sensitivity", "value": "unreviewed"}},
        }
    ),
)

# ------------------------------------------------------------------------------------------------------------- grants
named = {"database_name": "procurement_raw", "name": "vendor_master"}
add(
    "a confidential column counts without personal data",
    lambda: b.domain(
        more={"n": permissions(local("R"), "SELECT", table_with_columns={**named, "column_names": ["bank_name"]})}
    ),
    {("named-select-never-reaches-sensitive-columns", "n")},
)
add(
    "personal data counts whatever its sensitivity",
    lambda: b.domain(
        more={
            "n": permissions(
                local("R"),
                "SELECT",
                table_with_columns={
                    "database_name": "general_ledger",
                    "name": "ledger_balance",
                    "column_names": ["prepared_by"],
                },
            )
        }
    ),
    {("named-select-never-reaches-sensitive-columns", "n")},
    mesh=lambda document: document["tables"]["general_ledger.ledger_balance"]["columns"][9].update(
        sensitivity="internal"
    ),
)
margins = {
    "tables": [
        {
            **b.TABLES[0],
            "table": "margins",
            "tags": {"product": "vendor"},
            "columns": {"margin": {"sensitivity": "confidential"}, "posting_date": {"sensitivity": "internal"}},
        }
    ]
}
add(
    "a column that is tagged confidential counts",
    lambda: b.domain(
        {"tags": margins},
        {
            "n": permissions(
                local("R"),
                "SELECT",
                table_with_columns={"database_name": "ar_curated", "name": "margins", "column_names": ["margin"]},
            ),
            "ok": permissions(
                local("S"),
                "SELECT",
                table_with_columns={"database_name": "ar_curated", "name": "margins", "column_names": ["posting_date"]},
            ),
        },
    ),
    {("named-select-never-reaches-sensitive-columns", "n")},
)
add(
    "DESCRIBE by name reaches no data",
    lambda: b.domain(more={"n": permissions(local("R"), "DESCRIBE", table=named)}),
)
add(
    "ALL by name reaches data",
    lambda: b.domain(more={"n": permissions(local("R"), "ALL", table=named)}),
    {("named-select-never-reaches-sensitive-columns", "n"), ("grants-never-give-all", "n")},
)
add(
    "a role may be allowed the grant option",
    lambda: b.domain({"direct": {"permissions_with_grant_options": ["SELECT"]}}),
    config={"grant-option-never-goes-to-a-role": {"principals": [b.CONTROLLER]}},
)
rates = {"database_name": "rates", "name": "daily"}
add(
    "all columns are no filter",
    lambda: b.domain(
        more={
            "all": permissions(local("R"), "DESCRIBE", "SELECT", table_with_columns={**rates, "wildcard": True}),
            "grantable": permissions(
                CONSUMER,
                "DESCRIBE",
                table_with_columns={**rates, "wildcard": True},
                permissions_with_grant_options=["DESCRIBE"],
            ),
        }
    ),
    {("accounts-get-exact-tag-policies", "grantable"), ("grants-trace-to-an-approved-request", "grantable")},
)
add(
    "DESCRIBE on another table stands beside a filter",
    lambda: b.domain(more={"other": permissions(local("RatesReader"), "DESCRIBE", table={**rates, "name": "weekly"})}),
)
add(
    "one expression in another order is one key",
    lambda: b.domain(
        more={
            "again": permissions(
                CONSUMER,
                "SELECT",
                permissions_with_grant_options=["SELECT"],
                lf_tag_policy=expression(sensitivity=["public", "internal"], product=["cash_application"]),
            )
        }
    ),
    {("one-grant-per-principal-and-resource", "again")},
)


def rows(table: str, database: str = "ar_curated") -> dict[str, Any]:
    body = {"database_name": database, "table_name": table, "table_catalog_id": CENTRAL, "name": "eu"}
    return {"rows": {"principal": b.CONTROLLER, "data_cells_filter": body}}


def no_card_payments(document: dict[str, Any]) -> None:
    """Without the sample's grant of vendor_payment to this consumer, so that nobody of it asked for the product."""
    document["grants"] = [each for each in document["grants"] if each["id"] != "ap-card-payments-controller"]


BESIDE = {("tag-select-never-beside-a-data-filter", "rows")}
UNASKED = ("grants-trace-to-an-approved-request", "rows")
add(
    "a filter on a table that the expression does not reach",
    lambda: b.domain(rows("vendor_payment", "procurement_curated")),
    {UNASKED},
    mesh=no_card_payments,
)
add("a filter on a table that nobody knows", lambda: b.domain(rows("nobody_knows")), {*BESIDE, UNASKED})
add(
    "a filter on a table that the stack tags otherwise",
    lambda: b.domain({**rows("margins"), "tags": margins}),
    {UNASKED},
)
add(
    "a filter and an expression over every product",
    lambda: b.domain(
        {**rows("cash_application"), "direct": {"lf_tag_policy": expression(product=["*"], sensitivity=["internal"])}}
    ),
    {*BESIDE, ("grants-trace-to-an-approved-request", "direct")},
)
add(
    "a filter and a key that may be inherited",
    lambda: b.domain(
        {
            **rows("margins"),
            "tags": margins,
            "direct": {"lf_tag_policy": expression(product=["vendor"], process=["x"], sensitivity=["internal"])},
        }
    ),
    {
        *BESIDE,
        UNASKED,
        ("grants-trace-to-an-approved-request", "direct"),
        ("lf-tags-come-from-the-ontology", "direct"),
    },
)

# ------------------------------------------------------------------------------------------------------------ sharing
aging = {"catalog_id": CENTRAL, "database_name": "ar_curated", "name": "invoice_aging"}


def treasury(*held: str, **on: Any) -> dict[str, b.Declared]:
    return {"t": permissions(TREASURY, *held, permissions_with_grant_options=list(held), **on)}


def on_database(name: str) -> dict[str, Any]:
    return {"database": {"catalog_id": CENTRAL, "name": name}}


TRACE = {("grants-trace-to-an-approved-request", "t")}
RECORDS = "ap-record-to-report-treasury"
add("discover is DESCRIBE on the table", lambda: b.domain(more=treasury("DESCRIBE", table=aging)))
add(
    "who may read may describe",
    lambda: b.domain(more={"d": permissions(b.CONTROLLER, "DESCRIBE", table={**aging, "name": "invoice"})}),
)
add(
    "who may discover may not read",
    lambda: b.domain(
        more={"t": permissions(CASH_DESK, "SELECT", table_with_columns={**aging, "column_names": ["currency"]})}
    ),
    TRACE,
)
add(
    "who may read may be given some columns",
    lambda: b.domain(
        more={
            "t": permissions(
                b.CONTROLLER, "SELECT", table_with_columns={**aging, "name": "invoice", "column_names": ["currency"]}
            )
        }
    ),
)
add(
    "some columns of a table that nobody asked for",
    lambda: b.domain(
        more={
            "t": permissions(
                b.CONTROLLER,
                "SELECT",
                table_with_columns={
                    **aging,
                    "database_name": "procurement_curated",
                    "name": "vendor_payment",
                    "column_names": ["currency"],
                },
            )
        }
    ),
    TRACE,
    mesh=no_card_payments,
)
add(
    "a grant by tags reaches the databases of its tables",
    lambda: b.domain(more=treasury("DESCRIBE", **on_database("general_ledger"))),
)
bare = {"account": None, "account-database": None, "direct": None}
for name, changes, expected in [
    ("reaches no other domain", {}, TRACE),
    ("that names sensitivity", {"tags": {"process": ["record-to-report"], "sensitivity": ["internal"]}}, TRACE),
]:
    add(
        f"a grant by tags {name}",
        lambda: b.domain(bare, treasury("DESCRIBE", **on_database("ar_curated"))),
        expected,
        mesh=lambda document, changes=changes: only(document, RECORDS, **changes),
    )
for name, tags in [
    ("alone", {"process": ["record-to-report"]}),
    ("and sensitivity", {"process": ["record-to-report"], "sensitivity": ["restricted"]}),
    ("and domain", {"process": ["record-to-report"], "domain": ["elsewhere"]}),
]:
    add(
        f"a grant by process {name}",
        lambda: b.domain(bare, treasury("DESCRIBE", **on_database("general_ledger"))),
        mesh=lambda document, tags=tags: only(document, RECORDS, tags=tags),
    )
add(
    "a grant by a column's tag reaches the table",
    lambda: b.domain(bare, treasury("DESCRIBE", **on_database("ar_curated"))),
    mesh=lambda document: (
        only(document, RECORDS, tags={"layer": ["raw"]}, domain="ar", approvedBy="nadia.berger@acme.example"),
        document["tables"]["ar_curated.invoice"]["columns"][0].update(tags={"layer": "raw"}),
    ),
)
add(
    "an expression by tags as it was asked for",
    lambda: b.domain(
        bare,
        treasury(
            "SELECT", lf_tag_policy=expression(domain=["ap"], process=["record-to-report"], sensitivity=["internal"])
        ),
    ),
)
add(
    "an expression by tags that leaves a tag out",
    lambda: b.domain(bare, treasury("SELECT", lf_tag_policy=expression(domain=["ap"], sensitivity=["internal"]))),
    TRACE,
)
add(
    "a grant that was asked for twice holds while one request does",
    b.domain,
    mesh=lambda document: document["grants"].insert(
        0,
        {
            **next(g for g in document["grants"] if g["product"] == "cash_application"),
            "id": "old",
            "expires": "2020-01-01",
        },
    ),
)
add(
    "the last day of a grant",
    b.domain,
    mesh=lambda document: [g.update(expires="2026-06-02") for g in document["grants"]],
)
add(
    "the first day without a grant",
    lambda: b.domain({"direct": None}),
    {("grants-trace-to-an-approved-request", name) for name in ("account", "account-database")},
    mesh=lambda document: [g.update(expires="2026-06-01") for g in document["grants"]],
)
add(
    "further accounts and values can be allowed",
    lambda: b.domain(
        {"account": {"principal": "999988887777"}, "sync-database": {"principal": f"arn:aws:iam::{CENTRAL}:role/x"}}
    ),
    config={"grants-stay-in-the-mesh": {"accounts": ["999988887777"]}},
)
add(
    "accounts may be allowed confidential data",
    lambda: b.domain(
        {"account": {"lf_tag_policy": expression(product=["cash_application"], sensitivity=["confidential"])}}
    ),
    config={"confidential-data-never-goes-to-an-account": {"values": ["confidential"]}},
    mesh=lambda document: [g["sensitivity"].append("confidential") for g in document["grants"]],
)
add(
    "the mesh's own organization may be granted to",
    lambda: b.domain({"account": {"principal": f"arn:aws:organizations::{CENTRAL}:organization/{b.ORGANIZATION}"}}),
)
add(
    "without a manifest the rules that need it are not applied",
    lambda: b.domain({"account": {"principal": "999988887777"}, "location": {"arn": "arn:aws:s3:::acme-erp-lake"}}),
    {
        ("mesh-is-described", "lakemesh-test"),
        ("grant-option-never-goes-to-a-role", "tag-tables"),
        ("named-select-never-reaches-sensitive-columns", "tag-tables"),
    },
    manifest=False,
)
add(
    "without a manifest service roles can be named",
    b.domain,
    {("mesh-is-described", "lakemesh-test")},
    manifest=False,
    config={"mesh-is-described": {"serviceRoles": {"tag": "lakemesh-tag", "sync": "lakemesh-sync"}}},
)

# ----------------------------------------------------------------------------------------------------------- settings
add(
    "defaults without permissions are empty",
    lambda: b.central(
        {"settings": {"create_table_default_permissions": [{"permissions": [], "principal": "IAM_ALLOWED_PRINCIPALS"}]}}
    ),
)
settings = b.CENTRAL_ACCOUNT["settings"]
add(
    "settings of two catalogs",
    lambda: b.central(more={"other": (settings[0], {**settings[1], "catalog_id": b.PRODUCER}, settings[2])}),
)
add(
    "settings of one catalog, named once",
    lambda: b.central(more={"other": (settings[0], {**settings[1], "catalog_id": CENTRAL}, settings[2])}),
    {("one-data-lake-settings-an-account", "settings")},
)
add(
    "settings of two regions",
    lambda: b.central(more={"other": (settings[0], {**settings[1], "region": "eu-west-1"}, settings[2])}),
)
add(
    "an administrator of the list",
    b.central,
    mesh=lambda document: document["central"].update(deployRole="lakemesh-deploy"),
)
add(
    "a list of administrators can be configured",
    b.central,
    {("administrators-are-listed", "settings")},
    config={"administrators-are-listed": {"administrators": ["*:role/DataGovernance"]}},
    mesh=lambda document: document["central"].pop("deployRole"),
)
add(
    "thirty administrators",
    lambda: b.central({"settings": {"admins": [local(f"a{n}") for n in range(30)]}}),
    config={"administrators-are-listed": {"administrators": ["*"]}},
)
add(
    "a version that was deployed is not lowered",
    lambda: b.central({"settings": {"parameters": {"CROSS_ACCOUNT_VERSION": "4"}}}),
    {("cross-account-version-is-current", "settings")},
    config={"cross-account-version-is-current": {"minimum": 5}},
)
add("version 3", lambda: b.central({"settings": {"parameters": {"CROSS_ACCOUNT_VERSION": "3"}}}))
add(
    "external filtering switched off",
    lambda: b.central(
        {"settings": {"allow_external_data_filtering": False, "external_data_filtering_allow_lists": ["999988887777"]}}
    ),
)
add(
    "further accounts may filter",
    lambda: b.central({"settings": {"external_data_filtering_allow_lists": ["999988887777"]}}),
    config={"external-filtering-only-for-listed-accounts": {"accounts": ["999988887777"]}},
)

# ---------------------------------------------------------------------------------------------------------- locations
add(
    "the service-linked role beside a role",
    lambda: b.domain({"location": {"use_service_linked_role": True}}),
    {("locations-use-a-registration-role", "location")},
)
add(
    "a role for a producer's bucket and for a stranger's",
    lambda: b.domain(
        more={"strange": (aws.lakeformation.Resource, {"arn": "arn:aws:s3:::strange", "role_arn": b.arn("role")}, BARE)}
    ),
    {("locations-belong-to-a-producer", "strange")},
)
add(
    "a bucket that Pulumi names",
    lambda: b.domain({"lake": {"bucket": None}, "lake-policy": None, "lake-private": None}),
)
other_policy = {"policy": document({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"})}
write = {"Effect": "Allow", "Action": ["s3:*Object"], "Resource": "*"}
lambda_role = (aws.iam.Role, {"name": "worker", "assume_role_policy": b.service("lambda.amazonaws.com")}, BARE)
add(
    "another role may write",
    lambda: b.domain(
        more={
            "worker": lambda_role,
            "worker-policy": (aws.iam.RolePolicy, {"role": "worker", **other_policy}, BARE),
            "worker-full": (
                aws.iam.RolePolicyAttachment,
                {"role": "worker", "policy_arn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
                BARE,
            ),
            "own": (aws.iam.Policy, {"name": "own", **other_policy}, BARE),
            "worker-own": (aws.iam.RolePolicyAttachment, {"role": "worker", "policy_arn": b.arn("own")}, BARE),
            "reads": (
                aws.iam.RolePolicyAttachment,
                {"role": "register-erp", "policy_arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
                BARE,
            ),
            "inline": (
                aws.iam.Role,
                {**lambda_role[1], "name": "inline", "inline_policies": [{"name": "w", **other_policy}]},
                BARE,
            ),
        }
    ),
)
add(
    "a registration role that writes by its own policy",
    lambda: b.domain({"role": {"inline_policies": [{"name": "w", "policy": document(write)}]}}),
    {("registration-roles-only-read", "role")},
)
add(
    "a registration role that writes by an attached policy",
    lambda: b.domain(
        more={
            "own": (aws.iam.Policy, {"name": "own", "policy": document(write)}, BARE),
            "attached": (aws.iam.RolePolicyAttachment, {"role": "register-erp", "policy_arn": b.arn("own")}, BARE),
        }
    ),
    {("registration-roles-only-read", "own")},
)
add("a registration role without policies", lambda: b.domain({"role-policy": None}))
plain_http, named_only = b.BUCKET_POLICY
add(
    "conditions written otherwise",
    lambda: b.domain(
        {
            "lake-policy": {
                "policy": document(
                    {**plain_http, "Condition": {"Bool": {"aws:securetransport": False}}},
                    {**named_only, "Condition": {"ArnNotEqualsIfExists": {"aws:PrincipalArn": local("register-erp")}}},
                )
            }
        }
    ),
)
LAKE = [("lake-buckets-deny-plain-http", "lake"), ("lake-buckets-admit-named-roles-only", "lake")]
add(
    "denials that deny nothing of what is meant",
    lambda: b.domain(
        {
            "lake-policy": {
                "policy": document(
                    {**plain_http, "Action": "s3:PutObject"},
                    {**named_only, "Principal": {"AWS": local("Somebody")}},
                )
            }
        }
    ),
    set(LAKE),
)
add(
    "denials with a condition that is always or never true",
    lambda: b.domain(
        {
            "lake-policy": {
                "policy": document(
                    {**plain_http, "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
                    {**named_only, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "*"}}},
                )
            }
        }
    ),
    set(LAKE),
)
add(
    "denials for other principals and actions",
    lambda: b.domain(
        {
            "lake-policy": {
                "policy": document(
                    {**plain_http, "Principal": {"AWS": local("Somebody")}}, {**named_only, "Action": ["s3:ListBucket"]}
                )
            }
        }
    ),
    set(LAKE),
)
add(
    "permissions instead of denials",
    lambda: b.domain(
        {
            "lake-policy": {
                "policy": document(
                    *({**each, "Effect": "Allow", "Principal": {"AWS": local("R")}} for each in b.BUCKET_POLICY)
                )
            }
        }
    ),
    set(LAKE),
)
add(
    "permissions for everybody instead of denials",
    lambda: b.domain({"lake-policy": {"policy": document(*({**each, "Effect": "Allow"} for each in b.BUCKET_POLICY))}}),
    {*LAKE, ("policies-name-their-principals", "lake-policy")},
)

# -------------------------------------------------------------------------------------------------------------- roles
add(
    "a mesh in another partition",
    lambda: b.producer({"reader": {"assume_role_policy": b.trust(b.SYNC.replace("arn:aws:", "arn:aws-cn:"))}}),
    mesh=lambda document: document.update(partition="aws-cn"),
)
add(
    "a manifest that does not say its partition",
    b.producer,
    mesh=lambda document: document.pop("partition"),
)
add(
    "one exact role of another account needs no condition",
    lambda: b.producer(
        {
            "partner": {
                "assume_role_policy": b.trust(local("One"), **{"sts:ExternalId": None, "aws:PrincipalOrgID": None})
            }
        }
    ),
)
add(
    "the own account needs no condition",
    lambda: b.producer(
        {"partner": {"assume_role_policy": b.trust(b.PRODUCER, **{"sts:ExternalId": None, "aws:PrincipalOrgID": None})}}
    ),
)
add(
    "another account with the organization asked for",
    lambda: b.producer({"partner": {"assume_role_policy": b.trust("999988887777", **{"sts:ExternalId": None})}}),
)
deny_trust = {"Effect": "Deny", "Principal": {"AWS": "999988887777"}, "Action": "sts:AssumeRole"}
add(
    "denials in trust policies",
    lambda: b.producer(
        {
            "partner": {"assume_role_policy": document(deny_trust)},
            "reader": {"assume_role_policy": document(deny_trust)},
            "catalog-policy": {"policy": document({**deny_trust, "Principal": "*"})},
        }
    ),
)
not_principal = {"Effect": "Allow", "NotPrincipal": {"AWS": b.PRODUCER}, "Action": "sts:AssumeRole"}
add(
    "everybody but somebody",
    lambda: b.producer(
        {
            "reader": {"assume_role_policy": document(not_principal)},
            "catalog-policy": {"policy": document({**not_principal, "Action": "glue:GetTable"})},
        }
    ),
    {
        ("reader-roles-trust-the-sync-role-alone", "reader"),
        ("policies-name-their-principals", "reader"),
        ("policies-name-their-principals", "catalog-policy"),
    },
)
add(
    "a denial of everything but a service covers the rest",
    lambda: b.central(
        {
            "sync-policy": {
                "policy": document(
                    b.GLUE, {"Effect": "Deny", "NotAction": ["glue:*", "sts:*", "logs:*"], "Resource": "*"}
                )
            }
        }
    ),
)
add(
    "a denial of everything but S3 leaves S3",
    lambda: b.central(
        {
            "sync-policy": {
                "policy": document(b.GLUE, {"Effect": "Deny", "NotAction": ["s3:*", "glue:*"], "Resource": "*"})
            }
        }
    ),
    {("the-sync-role-is-denied-data-and-grants", "sync")},
)
add(
    "a denial on some resources",
    lambda: b.central({"sync-policy": {"policy": document(b.GLUE, {**b.NEVER, "Resource": ["arn:aws:s3:::one/*"]})}}),
    {("the-sync-role-is-denied-data-and-grants", "sync")},
)
anybody = {"Effect": "Allow", "Principal": "*", "Action": "glue:GetTable", "Resource": "*"}
for name, condition in [
    ("that passes without the key", {"StringEqualsIfExists": {"aws:PrincipalOrgID": b.ORGANIZATION}}),
    ("that asks for the key to be there", {"Null": {"aws:PrincipalOrgID": "false"}}),
    ("that is met by all", {"StringLike": {"aws:PrincipalOrgID": "*"}}),
    ("that is about something else", {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}),
    ("that excludes one organization", {"StringNotEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}}),
]:
    add(
        f"everybody on a condition {name}",
        lambda condition=condition: b.producer(
            {"catalog-policy": {"policy": document({**anybody, "Condition": condition})}}
        ),
        {("policies-name-their-principals", "catalog-policy")},
    )
add("a document that is none", lambda: b.producer({"catalog-policy": {"policy": "{"}}))
add(
    "a function that a service invokes",
    lambda: b.producer({"invoke": {"principal": "s3.amazonaws.com", "principal_org_id": None}}),
)
add(
    "a function that everybody invokes from one source",
    lambda: b.producer({"invoke": {"principal_org_id": None, "source_arn": "arn:aws:s3:::x"}}),
)
add(
    "wildcards at the end of actions that read",
    lambda: b.central(
        {"tag-policy": {"policy": document(b.SETS_TAGS, {"Effect": "Allow", "Action": "glue:Get*", "Resource": "*"})}}
    ),
)
add(
    "denials with wildcards",
    lambda: b.central({"tag-policy": {"policy": document(b.SETS_TAGS, {**b.NEVER, "Action": "lakeformation:*"})}}),
)
add(
    "every action there is",
    lambda: b.central(
        more={
            "user": (aws.iam.UserPolicy, {"user": "eve", "policy": document({"Effect": "Allow", "Action": "*"})}, BARE)
        }
    ),
    {("policies-name-their-actions", "user")},
)

# --------------------------------------------------------------------------------------------------------- operations
add(
    "a queue that gets its dead letter queue from another resource",
    lambda: b.operations(
        {"events": {"redrive_policy": None}},
        {
            "redrive": (
                aws.sqs.RedrivePolicy,
                {
                    "queue_url": "https://sqs.eu-central-1.amazonaws.com/111122223333/events",
                    "redrive_policy": '{"deadLetterTargetArn": "arn:aws:sqs:eu-central-1:111122223333:dead"}',
                },
                BARE,
            )
        },
    ),
)
add(
    "a queue that others may use for dead letters",
    lambda: b.operations(
        more={
            "more-dead": (
                aws.sqs.Queue,
                {
                    "name": "more",
                    "kms_master_key_id": b.arn("key"),
                    "redrive_allow_policy": '{"redrivePermission": "allowAll"}',
                },
                BARE,
            )
        }
    ),
)
add(
    "a redrive policy that is none",
    lambda: b.operations({"events": {"redrive_policy": "{"}}),
    {("queues-have-a-dead-letter-queue", "dead")},
)
add(
    "an alarm on the queue of a handler, by a metric query",
    lambda: b.operations(
        {
            "alarm": {
                "dimensions": None,
                "metric_name": None,
                "metric_queries": [
                    {
                        "id": "m",
                        "metric": {
                            "metric_name": "Age",
                            "period": 60,
                            "stat": "Max",
                            "dimensions": {"QueueName": "events"},
                        },
                    }
                ],
            }
        }
    ),
)
add(
    "a handler that its mapping limits",
    lambda: b.operations(
        {
            "function": {"reserved_concurrent_executions": None},
            "mapping": {"scaling_config": {"maximum_concurrency": 2}},
        }
    ),
)
add(
    "a function that handles no queue",
    lambda: b.operations(
        {
            "mapping": {"event_source_arn": "arn:aws:kinesis:eu-central-1:111122223333:stream/clicks"},
            "function": {"reserved_concurrent_executions": None},
            "alarm": None,
        }
    ),
)
add("one concurrent execution", lambda: b.operations({"function": {"reserved_concurrent_executions": 1}}))
add(
    "no concurrent execution",
    lambda: b.operations({"function": {"reserved_concurrent_executions": 0}}),
    {("queue-handlers-have-reserved-concurrency", "function")},
)
add(
    "a function with a log group of another name",
    lambda: b.operations(
        {
            "logs": {"name": "elsewhere"},
            "function": {"logging_config": {"log_format": "JSON", "log_group": "elsewhere"}},
        }
    ),
)
add(
    "a bus permission for the organization",
    lambda: b.operations(
        {
            "bus-account": {
                "principal": "*",
                "condition": {"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": b.ORGANIZATION},
            }
        }
    ),
)
add(
    "a bus permission on another condition",
    lambda: b.operations(
        {
            "bus-account": {
                "principal": "*",
                "condition": {"key": "aws:SourceArn", "type": "StringEquals", "value": b.ORGANIZATION},
            }
        }
    ),
    {("event-buses-admit-the-organization-only", "bus-account")},
)
put = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
for name, principal, expected in [
    ("an account of the mesh", {"Principal": {"AWS": f"arn:aws:iam::{b.PRODUCER}:root"}}, set()),
    ("a service", {"Principal": {"Service": "events.amazonaws.com"}}, set()),
    ("a stranger", {"Principal": {"AWS": "999988887777"}}, {("event-buses-admit-the-organization-only", "bus")}),
    (
        "everybody but one",
        {"NotPrincipal": {"AWS": "999988887777"}},
        {("event-buses-admit-the-organization-only", "bus")},
    ),
    ("nobody", {"Effect": "Deny", "Principal": "*"}, set()),
]:
    add(
        f"a bus for {name}",
        lambda principal=principal: b.operations({"bus": {"policy": document({**put, **principal})}}),
        expected,
    )
add(
    "a bus without a manifest asks for some organization or account",
    lambda: b.operations(
        {"bus": {"policy": b.from_the_organization("o-zzzzzzzzzz")}, "bus-account": {"principal": "999988887777"}}
    ),
    {("mesh-is-described", "lakemesh-test")},
    manifest=False,
)
add(
    "alarms can be asked for another kind of runbook",
    b.operations,
    {("alarms-have-a-runbook", name) for name in ("alarm", "dead-alarm")},
    config={"alarms-have-a-runbook": {"pattern": "wiki"}},
)
add(
    "a queue with an AWS managed key",
    lambda: b.operations({"dead": {"kms_master_key_id": "alias/aws/sqs"}}),
    {("catalog-topics-and-queues-use-customer-keys", "dead")},
)
add(
    "a catalog that is not encrypted",
    lambda: b.central(
        {
            "catalog": {
                "data_catalog_encryption_settings": {
                    "connection_password_encryption": {"return_connection_password_encrypted": True},
                    "encryption_at_rest": {
                        "catalog_encryption_mode": "DISABLED",
                        "sse_aws_kms_key_id": "arn:aws:kms:x",
                    },
                }
            }
        }
    ),
    {("catalog-topics-and-queues-use-customer-keys", "catalog")},
)
add(
    "a bucket that says itself how it is encrypted",
    lambda: b.domain(
        {
            "lake-encryption": None,
            "lake": {
                "server_side_encryption_configuration": {
                    "rule": {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
                }
            },
        }
    ),
)

# ---------------------------------------------------------------------------------------------------------- consumers
add(
    "a shared catalog that is not central's",
    lambda: b.consumer(
        more={
            "elsewhere": permissions(
                b.ANALYST,
                "SELECT",
                lf_tag_policy={
                    **expression(product=["cash_application"], sensitivity=["public"]),
                    "catalog_id": b.PRODUCER,
                },
            )
        }
    ),
)
add(
    "a principal of another account",
    lambda: b.consumer(
        more={
            "elsewhere": permissions(
                f"arn:aws:iam::{b.PRODUCER}:role/Other",
                "SELECT",
                lf_tag_policy=expression(product=["cash_application"], sensitivity=["public"]),
            )
        }
    ),
)
add(
    "another permission than DESCRIBE on default",
    lambda: b.consumer({"default": {"permissions": ["CREATE_TABLE"]}}),
    {("grantees-may-describe-link-twin-and-default", "reads")},
)
add(
    "a principal that reads nothing needs no workgroup",
    lambda: b.consumer(
        more={
            f"c{number}": b.describe(b.CONTROLLER, catalog, database)
            for number, (catalog, database) in enumerate(
                [(CENTRAL, "ar_curated"), (CONSUMER, "ar_curated"), (CONSUMER, "default")]
            )
        }
    ),
)
add(
    "a grant that is another consumer's",
    lambda: b.consumer(
        more={
            "x": permissions(
                b.ANALYST, "SELECT", lf_tag_policy=expression(product=["vendor_payment"], sensitivity=["public"])
            )
        }
    ),
    {("grants-trace-to-an-approved-request", "x")},
    mesh=no_card_payments,
)
add(
    "a grant that is not in force needs no link",
    lambda: b.consumer(dict.fromkeys(("link", "link-raw", "twin", "twin-raw", "on-link", "on-link-raw"))),
    {("grants-trace-to-an-approved-request", "reads")},
    mesh=lambda document: [g.update(approvedBy=None) for g in document["grants"]],
)
add(
    "results that Athena keeps itself",
    lambda: b.consumer(
        {
            "workgroup": {
                "configuration": {
                    "enforce_workgroup_configuration": True,
                    "managed_query_results_configuration": {"enabled": True},
                }
            }
        }
    ),
)
add("a consumer without workgroups", lambda: b.consumer({"workgroup": None}))

# ----------------------------------------------------------------------------------------------------------- the pack
add(
    "an exception waives its rule for what it names",
    lambda: b.domain({"location": {"hybrid_access_enabled": True}}),
    {("exceptions-are-shown", "lakemesh-test")},
    mesh=lambda document: document.update(exceptions=[EXCEPTION]),
)
add(
    "an exception waives nothing else",
    lambda: b.domain({"location": {"hybrid_access_enabled": True, "with_privileged_access": True}}),
    {
        ("exceptions-are-shown", "lakemesh-test"),
        ("hybrid-access-is-an-exception", "location"),
        ("locations-give-no-privileged-access", "location"),
    },
    mesh=lambda document: document.update(exceptions=[{**EXCEPTION, "resource": "lake"}]),
)
add(
    "an exception that ends soon says so",
    b.domain,
    {("exceptions-are-shown", "lakemesh-test")},
    mesh=lambda document: document.update(exceptions=[{**EXCEPTION, "expires": "2026-06-10"}]),
)
add(
    "an exception on its first day without force",
    lambda: b.domain({"location": {"hybrid_access_enabled": True}}),
    {("exceptions-hold", "lakemesh-test"), ("hybrid-access-is-an-exception", "location")},
    mesh=lambda document: document.update(exceptions=[{**EXCEPTION, "expires": "2026-06-01"}]),
)
add(
    "an exception without a date waives nothing",
    lambda: b.domain({"location": {"hybrid_access_enabled": True}}),
    {("exceptions-hold", "lakemesh-test"), ("hybrid-access-is-an-exception", "location")},
    mesh=lambda document: document.update(exceptions=[{**EXCEPTION, "expires": "next year"}]),
)
add(
    "exceptions of the configuration hold like those of the manifest, for rules of the stack as well",
    lambda: b.domain({"lake-private": None}),
    {("exceptions-are-shown", "lakemesh-test")},
    config={
        "mesh-is-described": {
            "exceptions": [{**EXCEPTION, "rule": "lake-buckets-block-public-access", "resource": "lake"}],
        }
    },
)
add(
    "several approvers",
    b.domain,
    mesh=lambda document: [
        g.update(approvedBy=list(document["domains"][g["domain"]]["approvers"])) for g in document["grants"]
    ],
)
add(
    "one of several approvers is a stranger",
    b.domain,
    {("grants-trace-to-an-approved-request", name) for name in ("account", "account-database", "direct")},
    mesh=lambda document: [
        g.update(approvedBy=[*document["domains"][g["domain"]]["approvers"], "friend@acme.example"])
        for g in document["grants"]
    ],
)
add(
    "approved by a rule",
    b.domain,
    mesh=lambda document: [
        document["approvals"].update(automatic=["public", "internal", "confidential"]),
        *(g.update(approvedBy="approvals.automatic") for g in document["grants"]),
    ],
)
add(
    "approved by a rule that is for less",
    b.domain,
    {("grants-trace-to-an-approved-request", name) for name in ("account", "account-database", "direct")},
    mesh=lambda document: [
        document["approvals"].update(automatic=["public"]),
        *(g.update(approvedBy="approvals.automatic") for g in document["grants"]),
    ],
)
add(
    "approvals that nobody could look up",
    b.domain,
    config={
        "mesh-is-described": {
            "approvals": dict.fromkeys(
                (
                    "ar-cash-application-finance-analytics",
                    "ar-invoice-finance-analytics",
                    "ar-invoice-confidential-controller",
                ),
                "not looked up",
            )
        }
    },
)
add(
    "verified approvals",
    b.domain,
    config={
        "mesh-is-described": {
            "approvals": dict.fromkeys(
                (
                    "ar-cash-application-finance-analytics",
                    "ar-invoice-finance-analytics",
                    "ar-invoice-confidential-controller",
                ),
                "verified",
            )
        }
    },
)
