"""Reads a producer's or a consumer's account into facts. Only reads; denials are collected by `Account`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lakemesh.declarations.checks_mesh import bucket_of
from lakemesh.onboard import formats
from lakemesh.onboard.account import Account, LakeFormationRefusalError
from lakemesh.onboard.documents import document, statements
from lakemesh.onboard.facts import (
    IAM_ALLOWED_PRINCIPALS,
    BucketFacts,
    ConsumerFacts,
    DatabaseFacts,
    KeyFacts,
    PermissionFacts,
    ProducerFacts,
    RoleFacts,
    TableFacts,
    TableKind,
)

MOST_PARTITIONS: Final = 20_000
"""Partitions of one table whose locations are looked at; the sync looks at every one."""
_NOT_AN_ADMINISTRATOR: Final = (
    "These credentials are no data lake administrator of the account, so Lake Formation shows them neither grants nor "
    "databases and tables that it keeps from them. Run it again as one (a read-only administrator is enough), or state "
    "--governance and check the list of databases."
)


# ------------------------------------------------------------------------------------------------------ a producer
def read_catalog(account: Account) -> tuple[DatabaseFacts, ...]:
    """Every database with every table, without partitions. Raises MissingPermissionsError."""
    found = []
    for page in account.pages("glue", "GetDatabases", "the databases"):
        for database in page["DatabaseList"]:
            name = str(database["Name"])
            target = database.get("TargetDatabase") or {}
            link = str(target.get("CatalogId") or "another catalog") if target else ""
            tables = () if link else tuple(formats.table_facts(name, table) for table in _tables(account, name))
            found.append(DatabaseFacts(name, tables, str(database.get("LocationUri") or ""), link))
    account.complete()
    return tuple(found)


def _tables(account: Account, database: str) -> Iterator[Mapping[str, Any]]:
    for page in account.pages("glue", "GetTables", f"the tables of {database}", DatabaseName=database):
        yield from page["TableList"]


def read_producer(account: Account, catalog: Iterable[DatabaseFacts], chosen: frozenset[str]) -> ProducerFacts:
    """All that onboarding needs of the databases `chosen`. Raises MissingPermissionsError with everything missing."""
    caveats: list[str] = []
    databases = tuple(
        _with_partitions(account, database, caveats) if database.name in chosen else database for database in catalog
    )
    own = frozenset(
        str(bucket["Name"])
        for page in account.pages("s3", "ListBuckets", "the account's buckets")
        for bucket in page.get("Buckets", ())
    )
    used = {
        bucket_of(place)
        for database in databases
        if database.name in chosen
        for table in database.tables
        for place in table.directories
    } | {bucket_of(place) for database in databases if (place := _home(database)) and database.name in chosen}
    keys: dict[str, KeyFacts] = {}
    buckets = {name: _bucket(account, name, keys) for name in sorted(used & own)}
    settings = _settings(account)
    permissions = _permissions(account)
    sees_all = permissions is not None and _is_administrator(account, settings)
    if not sees_all:
        caveats.append(_NOT_AN_ADMINISTRATOR)
    facts = ProducerFacts(
        account=account.account,
        databases=databases,
        own_buckets=own,
        buckets=buckets,
        catalog_key=_catalog_key(account, keys),
        catalog_policy=_text(
            account.read(
                "glue", "GetResourcePolicy", "the catalog's resource policy", absent=("EntityNotFoundException",)
            ),
            "PolicyInJson",
        ),
        administrators=_administrators(settings),
        permissions=permissions,
        sees_all=sees_all,
        open_by_default=_open_by_default(settings),
        caveats=tuple(caveats),
    )
    account.complete()
    return facts


def _home(database: DatabaseFacts) -> str | None:
    return formats.directory(database.location) if database.location else None


def _with_partitions(account: Account, database: DatabaseFacts, caveats: list[str]) -> DatabaseFacts:
    """The database again, its tables with the locations of their partitions."""
    tables = []
    for table in _tables(account, database.name):
        plain = formats.table_facts(database.name, table)
        held = plain.kind is TableKind.TABLE and plain.partition_keys and plain.format not in {"iceberg", "delta"}
        if not held or formats.is_projected(table):
            tables.append(plain)
            continue
        tables.append(_with_locations(account, table, plain, caveats))
    return DatabaseFacts(database.name, tuple(tables), database.location, database.link_to)


def _with_locations(account: Account, table: Mapping[str, Any], plain: TableFacts, caveats: list[str]) -> TableFacts:
    pages = account.pages(
        "glue", "GetPartitions", f"the partitions of {plain.key}",
        DatabaseName=plain.database, TableName=plain.name, ExcludeColumnSchema=True,
    )  # fmt: skip
    every = (partition for page in pages for partition in page["Partitions"])
    looked_at = list(itertools.islice(every, MOST_PARTITIONS + 1))
    if len(looked_at) > MOST_PARTITIONS:
        caveats.append(f"{plain.key}: the locations of its first {MOST_PARTITIONS:,} partitions were looked at.")
    return formats.table_facts(plain.database, table, looked_at[:MOST_PARTITIONS])


# --------------------------------------------------------------------------------------------- buckets and keys
def _bucket(account: Account, name: str, keys: dict[str, KeyFacts]) -> BucketFacts:
    arn = f"arn:aws:s3:::{name}"
    answer = account.read(
        "s3", "GetBucketEncryption", f"the encryption of bucket {name}",
        resource=arn, absent=("ServerSideEncryptionConfigurationNotFoundError",), Bucket=name,
    )  # fmt: skip
    rules = (answer or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    default: Mapping[str, Any] = next((rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules), {})
    key = None
    if str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
        # Without a key of its own the bucket uses the account's `aws/s3`, which no other account can decrypt with.
        key = _key(account, str(default.get("KMSMasterKeyID") or "alias/aws/s3"), keys, f"of bucket {name}")
    policy = account.read(
        "s3", "GetBucketPolicy", f"the policy of bucket {name}",
        resource=arn, absent=("NoSuchBucketPolicy",), Bucket=name,
    )  # fmt: skip
    return BucketFacts(name, key, _text(policy, "Policy"))


def _key(account: Account, given: str, keys: dict[str, KeyFacts], whose: str) -> KeyFacts | None:
    """A key by its id, ARN or alias, with its policy if it is a key of this account that somebody manages."""
    if given in keys:
        return keys[given]
    if given.rpartition(":")[2].startswith("alias/aws/"):
        return KeyFacts(given, customer_managed=False)
    if given.startswith("arn:") and given.split(":")[4] != account.account:
        return KeyFacts(given, customer_managed=True)
    answer = account.read("kms", "DescribeKey", f"the key {whose}", resource=given, KeyId=given)
    if answer is None:
        _key_policy(account, given, whose)  # denied as well: everything missing is named at once
        return None
    metadata = answer["KeyMetadata"]
    arn, managed = str(metadata["Arn"]), metadata.get("KeyManager", "CUSTOMER") == "CUSTOMER"
    keys[given] = KeyFacts(arn, managed, _key_policy(account, arn, whose) if managed else None)
    return keys[given]


def _key_policy(account: Account, key: str, whose: str) -> str | None:
    found = account.read(
        "kms", "GetKeyPolicy", f"the policy of the key {whose}", resource=key, KeyId=key, PolicyName="default"
    )
    return _text(found, "Policy")


def _catalog_key(account: Account, keys: dict[str, KeyFacts]) -> KeyFacts | None:
    answer = account.read("glue", "GetDataCatalogEncryptionSettings", "the catalog's encryption")
    at_rest = (answer or {}).get("DataCatalogEncryptionSettings", {}).get("EncryptionAtRest", {})
    if not str(at_rest.get("CatalogEncryptionMode", "DISABLED")).startswith("SSE-KMS"):
        return None
    return _key(account, str(at_rest.get("SseAwsKmsKeyId") or "alias/aws/glue"), keys, "of the catalog")


# ---------------------------------------------------------------------------------------------- Lake Formation
def _settings(account: Account) -> Mapping[str, Any]:
    answer = account.read("lakeformation", "GetDataLakeSettings", "the data lake settings")
    found: Mapping[str, Any] = (answer or {}).get("DataLakeSettings", {})
    return found


def _administrators(settings: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(one["DataLakePrincipalIdentifier"]) for one in settings.get("DataLakeAdmins") or ())


def _open_by_default(settings: Mapping[str, Any]) -> bool:
    """Whether new databases and tables are left to IAM ("Change default permissions")."""
    return all(
        any(
            one.get("Principal", {}).get("DataLakePrincipalIdentifier") == IAM_ALLOWED_PRINCIPALS
            for one in settings.get(name) or ()
        )
        for name in ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions")
    )


def _is_administrator(account: Account, settings: Mapping[str, Any]) -> bool:
    """Whether the caller is a data lake administrator, read-only or not: others see the part that concerns them."""
    everybody = [*(settings.get("DataLakeAdmins") or ()), *(settings.get("ReadOnlyAdmins") or ())]
    for arn in (str(one["DataLakePrincipalIdentifier"]) for one in everybody):
        # A session's ARN leaves out the path of its role.
        if arn == account.identity or (account.role and ":role/" in arn and arn.rpartition("/")[2] == account.role):
            return True
    return False


def _permissions(account: Account) -> tuple[PermissionFacts, ...] | None:
    """The grants that Lake Formation shows; None where it shows none to who is no administrator."""
    pages = account.pages("lakeformation", "ListPermissions", "Lake Formation's grants")
    try:
        found = [_permission(line) for page in pages for line in page["PrincipalResourcePermissions"]]
    except LakeFormationRefusalError:
        return None
    return tuple(found)


def _permission(line: Mapping[str, Any]) -> PermissionFacts:
    return PermissionFacts(
        str(line["Principal"]["DataLakePrincipalIdentifier"]),
        line["Resource"],
        tuple(line["Permissions"]),
        tuple(line.get("PermissionsWithGrantOption") or ()),
    )


# ------------------------------------------------------------------------------------------------------ a consumer
def read_consumer(account: Account) -> ConsumerFacts:
    """Roles with their policies, data lake settings, names of databases. Raises MissingPermissionsError."""
    settings = _settings(account)
    databases = {
        str(database["Name"]): str((database.get("TargetDatabase") or {}).get("CatalogId") or "")
        for page in account.pages("glue", "GetDatabases", "the databases")
        for database in page["DatabaseList"]
    }
    facts = ConsumerFacts(
        account=account.account,
        roles=tuple(_roles(account)),
        administrators=_administrators(settings),
        open_by_default=_open_by_default(settings),
        trusted_owners=tuple(settings.get("TrustedResourceOwners") or ()),
        databases=databases,
    )
    account.complete()
    return facts


def _roles(account: Account) -> Iterator[RoleFacts]:
    managed: dict[str, tuple[Mapping[str, Any], ...]] = {}
    roles: list[Mapping[str, Any]] = []
    for page in account.pages(
        "iam", "GetAccountAuthorizationDetails", "the account's roles and their policies",
        Filter=["Role", "LocalManagedPolicy", "AWSManagedPolicy"],
    ):  # fmt: skip
        roles += page.get("RoleDetailList", ())
        for policy in page.get("Policies", ()):
            default = (v for v in policy.get("PolicyVersionList", ()) if v.get("IsDefaultVersion"))
            managed[str(policy["Arn"])] = tuple(s for version in default for s in statements(version["Document"]))
    for role in sorted(roles, key=lambda each: str(each["Arn"])):
        inline = [s for policy in role.get("RolePolicyList", ()) for s in statements(policy["PolicyDocument"])]
        attached = [
            s for policy in role.get("AttachedManagedPolicies", ()) for s in managed.get(str(policy["PolicyArn"]), ())
        ]
        yield RoleFacts(
            name=str(role["RoleName"]),
            arn=str(role["Arn"]),
            path=str(role.get("Path") or "/"),
            trust=document(role.get("AssumeRolePolicyDocument") or {}),
            statements=(*inline, *attached),
        )


def _text(answer: Mapping[str, Any] | None, key: str) -> str | None:
    value = (answer or {}).get(key)
    return str(value) if value else None
