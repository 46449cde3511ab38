"""An account, read whole: settings, grants, databases with their LF-Tags, filters, links, shares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from lakemesh.access.observed import AccountState, InvitationState, ShareState
from lakemesh.access.state import CatalogState, DatabaseState, DataFilter, Permission, TableState
from lakemesh.live import rows
from lakemesh.live.caller import Caller

WORKERS: Final = 8
"""LF-Tags come table by table: the API has no call for many."""
COLUMNS_A_CALL: Final = 500
"""Our own bound: the API states none, and a table may have thousands of columns."""
SHARES: Final = "LakeFormation"
"""How Lake Formation's shares begin (developer guide, "cross-account-prereqs")."""
_LINKS_ONLY: frozenset[str] = frozenset()


def read_central(account: Caller, twins: Collection[str], *, grants_only: bool = False) -> AccountState:
    """The governance account. `twins`: databases whose tables are looked at. `grants_only`: leave out ontology,
    filters, LF-Tags and tables, for who only asks what another account's grants stand on. Raises LiveError."""
    settings = rows.settings(account.call("lakeformation", "GetDataLakeSettings")["DataLakeSettings"])
    databases = dict(_databases(account, () if grants_only else twins))
    catalog = CatalogState(
        account.account, settings.administrators, frozenset(_permissions(account, account.account)), databases
    )
    if grants_only:
        return AccountState(catalog, settings)
    return AccountState(
        replace(catalog, databases=_tagged(account, _filtered(account, databases), twins)),
        settings,
        ontology={
            str(tag["TagKey"]): frozenset(map(str, tag["TagValues"]))
            for tag in account.pages("lakeformation", "ListLFTags", "LFTags")
        },
        shares=tuple(sorted(_shares(account))),
    )


def read_consumer(account: Caller, owner: str) -> AccountState:
    """A consumer's account: grants on its own catalog and on that of `owner`, links, what was shared with it.

    Raises LiveError.
    """
    settings = rows.settings(account.call("lakeformation", "GetDataLakeSettings")["DataLakeSettings"])
    received = {
        str(share["resourceShareArn"]): str(share["owningAccountId"])
        for share in account.pages(
            "ram", "GetResourceShares", "resourceShares", resourceOwner="OTHER-ACCOUNTS", resourceShareStatus="ACTIVE"
        )
        if str(share.get("name", "")).startswith(SHARES)
    }
    # Grants on what another account shared are listed under that account's catalog.
    permissions = {*_permissions(account, account.account), *_permissions(account, owner)}
    return AccountState(
        CatalogState(
            account.account,
            settings.administrators,
            frozenset(permissions),
            dict(_databases(account, _LINKS_ONLY)),
            shares_accepted_from=frozenset(received.values()),
        ),
        settings,
        invitations=tuple(sorted(_invitations(account))),
        received=frozenset(received),
    )


def read_producer(account: Caller) -> AccountState:
    """A producer's grants. Raises LiveError."""
    return AccountState(CatalogState(account.account, permissions=frozenset(_permissions(account, account.account))))


# ------------------------------------------------------------------------------------------------------------ pieces
def _permissions(account: Caller, catalog: str) -> Iterator[Permission]:
    for line in account.pages("lakeformation", "ListPermissions", "PrincipalResourcePermissions", CatalogId=catalog):
        found = rows.permission(line, catalog)
        if found is not None:
            yield found


def _databases(account: Caller, with_tables: Collection[str]) -> Iterator[tuple[str, DatabaseState]]:
    for database in account.pages("glue", "GetDatabases", "DatabaseList"):
        name, target = str(database["Name"]), database.get("TargetDatabase")
        if target:
            yield name, DatabaseState(link_to=(str(target["CatalogId"]), str(target["DatabaseName"])))
            continue
        tables = account.pages("glue", "GetTables", "TableList", DatabaseName=name) if name in with_tables else ()
        yield name, DatabaseState(tables={str(table["Name"]): _table(table) for table in tables})


def _table(table: Mapping[str, Any]) -> TableState:
    columns = (table.get("StorageDescriptor") or {}).get("Columns") or ()
    return TableState(
        tuple(str(one["Name"]) for one in columns),
        tuple(str(one["Name"]) for one in table.get("PartitionKeys") or ()),
        creator=_role(str(table.get("CreatedBy") or "")) or None,
    )


def _role(arn: str) -> str:
    """The role behind a session, as Glue names who created a table."""
    head, _, rest = arn.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.split('/')[0]}" if rest else arn


def _filtered(account: Caller, databases: Mapping[str, DatabaseState]) -> dict[str, DatabaseState]:
    found: dict[tuple[str, str], dict[str, DataFilter]] = {}
    for document in account.pages("lakeformation", "ListDataCellsFilter", "DataCellsFilters"):
        key = str(document["DatabaseName"]), str(document["TableName"])
        found.setdefault(key, {})[str(document["Name"])] = rows.data_filter(document)
    return {
        name: replace(
            database,
            tables={key: replace(table, filters=found.get((name, key), {})) for key, table in database.tables.items()},
        )
        for name, database in databases.items()
    }


def _tagged(
    account: Caller, databases: Mapping[str, DatabaseState], twins: Collection[str]
) -> dict[str, DatabaseState]:
    """With the LF-Tags that each carries of its own."""
    ours = {name: database for name, database in databases.items() if name in twins}
    every = [(name, key, table) for name, database in ours.items() for key, table in database.tables.items()]
    with ThreadPoolExecutor(WORKERS) as pool:
        of_databases = dict(zip(ours, pool.map(lambda name: _database_tags(account, name), ours), strict=True))
        of_tables = list(pool.map(lambda one: _with_tags(account, *one), every))
    tables: dict[str, dict[str, TableState]] = {}
    for (name, key, _), table in zip(every, of_tables, strict=True):
        tables.setdefault(name, {})[key] = table
    return {
        name: replace(database, tags=of_databases[name], tables=tables.get(name, {})) if name in ours else database
        for name, database in databases.items()
    }


def _assigned(account: Caller, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what is inherited."""
    return account.call("lakeformation", "GetResourceLFTags", Resource=resource, ShowAssignedLFTags=True)


def _database_tags(account: Caller, name: str) -> dict[str, str]:
    return rows.tags(
        _assigned(account, {"Database": {"CatalogId": account.account, "Name": name}}).get("LFTagOnDatabase")
    )


def _with_tags(account: Caller, database: str, name: str, table: TableState) -> TableState:
    base = {"CatalogId": account.account, "DatabaseName": database, "Name": name}
    own = rows.tags(_assigned(account, {"Table": base}).get("LFTagsOnTable"))
    of_columns: dict[str, dict[str, str]] = {}
    columns = (*table.columns, *table.partition_keys)
    for start in range(0, len(columns), COLUMNS_A_CALL):
        some = list(columns[start : start + COLUMNS_A_CALL])
        answer = _assigned(account, {"TableWithColumns": {**base, "ColumnNames": some}})
        for column in answer.get("LFTagsOnColumns") or ():
            if found := rows.tags(column.get("LFTags")):
                of_columns[str(column["Name"])] = found
    return replace(table, tags=own, column_tags=of_columns)


def _shares(account: Caller) -> Iterable[ShareState]:
    names = {
        str(share["resourceShareArn"]): str(share["name"])
        for share in account.pages(
            "ram", "GetResourceShares", "resourceShares", resourceOwner="SELF", resourceShareStatus="ACTIVE"
        )
        if str(share.get("name", "")).startswith(SHARES)
    }
    carried: dict[str, set[str]] = {}
    for one in account.pages("ram", "ListResources", "resources", resourceOwner="SELF"):
        carried.setdefault(str(one["resourceShareArn"]), set()).add(str(one["arn"]))
    return [ShareState(name, arn, tuple(sorted(carried.get(arn, ())))) for arn, name in names.items()]


def _invitations(account: Caller) -> Iterator[InvitationState]:
    for one in account.pages("ram", "GetResourceShareInvitations", "resourceShareInvitations"):
        if str(one.get("resourceShareName", "")).startswith(SHARES):
            yield InvitationState(
                str(one["resourceShareArn"]),
                str(one["resourceShareName"]),
                str(one["senderAccountId"]),
                str(one["status"]),
            )
