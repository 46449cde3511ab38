"""Replay the local AWS's journal into states of Lake Formation, to see who could read what after every single call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lakemesh.access.state import (
    CatalogResource,
    CatalogState,
    ColumnsResource,
    DatabaseResource,
    DatabaseState,
    DataFilter,
    DataFilterResource,
    DataLocationResource,
    Permission,
    Resource,
    State,
    TableResource,
    TableState,
    TagPolicyResource,
    TagResource,
)

Entry = Mapping[str, Any]
Key = tuple[str, Resource]


@dataclass
class _Catalog:
    administrators: frozenset[str] = frozenset()
    grants: dict[Key, tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    databases: dict[str, DatabaseState] = field(default_factory=dict)
    accepted: frozenset[str] = frozenset()

    def state(self, account: str) -> CatalogState:
        permissions = frozenset(
            Permission(principal, resource, held, grantable)
            for (principal, resource), (held, grantable) in self.grants.items()
        )
        return CatalogState(
            account=account,
            administrators=self.administrators,
            permissions=permissions,
            databases=dict(self.databases),
            shares_accepted_from=self.accepted,
        )


class Replay:
    """State after every entry that has been applied."""

    def __init__(self) -> None:
        self._catalogs: dict[str, _Catalog] = {}

    def apply(self, entry: Entry) -> bool:
        """Take one entry of the journal; False: it has no bearing on access."""
        handler = _HANDLERS.get((entry["service"], entry["operation"]))
        if handler is None or entry["error"] is not None:
            return False
        handler(self, entry, entry["parameters"])
        return True

    def state(self) -> State:
        return State({account: catalog.state(account) for account, catalog in self._catalogs.items()})

    def catalog(self, account: str) -> _Catalog:
        return self._catalogs.setdefault(account, _Catalog())

    # -------------------------------------------------------------------------------------------- Lake Formation
    def settings(self, entry: Entry, given: Entry) -> None:
        admins = given["DataLakeSettings"].get("DataLakeAdmins") or []
        self.catalog(entry["account"]).administrators = frozenset(one["DataLakePrincipalIdentifier"] for one in admins)

    def grant(self, entry: Entry, given: Entry) -> None:
        for one in given.get("Entries") or [given]:
            self._change(entry, one, add=True)

    def revoke(self, entry: Entry, given: Entry) -> None:
        for one in given.get("Entries") or [given]:
            self._change(entry, one, add=False)

    def _change(self, entry: Entry, given: Entry, *, add: bool) -> None:
        grants = self.catalog(entry["account"]).grants
        key = (given["Principal"]["DataLakePrincipalIdentifier"], resource(given["Resource"], entry["account"]))
        held, grantable = grants.get(key, (frozenset(), frozenset()))
        permissions = frozenset(given.get("Permissions") or ())
        options = frozenset(given.get("PermissionsWithGrantOption") or ())
        if add:
            grants[key] = held | permissions | options, grantable | options
        else:
            grants[key] = held - permissions, grantable - permissions - options
            if not grants[key][0]:
                del grants[key]

    def add_tags(self, entry: Entry, given: Entry) -> None:
        self._tags(entry, given, {tag["TagKey"]: tag["TagValues"][0] for tag in given["LFTags"]})

    def remove_tags(self, entry: Entry, given: Entry) -> None:
        self._tags(entry, given, {tag["TagKey"]: None for tag in given["LFTags"]})

    def _tags(self, entry: Entry, given: Entry, tags: Mapping[str, str | None]) -> None:
        ((kind, what),) = given["Resource"].items()
        databases = self.catalog(what.get("CatalogId") or entry["account"]).databases
        name = what["Name"] if kind == "Database" else what["DatabaseName"]
        database = databases[name]
        if kind == "Database":
            databases[name] = replace(database, tags=_merged(database.tags, tags))
            return
        table = database.tables[what["Name"]]
        if kind == "Table":
            table = replace(table, tags=_merged(table.tags, tags))
        else:
            columns = dict(table.column_tags)
            for column in what["ColumnNames"]:
                columns[column] = _merged(columns.get(column, {}), tags)
            table = replace(table, column_tags=columns)
        databases[name] = replace(database, tables={**database.tables, what["Name"]: table})

    # ------------------------------------------------------------------------------------------------------ Glue
    def create_database(self, entry: Entry, given: Entry) -> None:
        wanted = given["DatabaseInput"]
        target = wanted.get("TargetDatabase")
        link = (target["CatalogId"], target["DatabaseName"]) if target else None
        state = DatabaseState(link_to=link, creator=entry["principal"])
        self.catalog(given.get("CatalogId") or entry["account"]).databases[wanted["Name"]] = state

    def delete_database(self, entry: Entry, given: Entry) -> None:
        self.catalog(given.get("CatalogId") or entry["account"]).databases.pop(given["Name"], None)

    def put_table(self, entry: Entry, given: Entry) -> None:
        databases = self.catalog(given.get("CatalogId") or entry["account"]).databases
        database, wanted = databases[given["DatabaseName"]], given["TableInput"]
        columns = tuple(one["Name"] for one in wanted.get("StorageDescriptor", {}).get("Columns") or [])
        keys = tuple(one["Name"] for one in wanted.get("PartitionKeys") or [])
        known = database.tables.get(wanted["Name"], TableState((), creator=entry["principal"]))
        # A column that goes takes its tags with it.
        tags = {name: tags for name, tags in known.column_tags.items() if name in {*columns, *keys}}
        table = replace(known, columns=columns, partition_keys=keys, column_tags=tags)
        databases[given["DatabaseName"]] = replace(database, tables={**database.tables, wanted["Name"]: table})

    def delete_table(self, entry: Entry, given: Entry) -> None:
        databases = self.catalog(given.get("CatalogId") or entry["account"]).databases
        database = databases[given["DatabaseName"]]
        tables = {name: table for name, table in database.tables.items() if name != given["Name"]}
        databases[given["DatabaseName"]] = replace(database, tables=tables)

    # -------------------------------------------------------------------------------------------------- filters
    def put_filter(self, entry: Entry, given: Entry) -> None:
        wanted = given["TableData"]
        names, others = wanted.get("ColumnNames"), (wanted.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ()
        shows = DataFilter(
            include=frozenset(names) if names else None,
            exclude=frozenset(others),
            rows=(wanted.get("RowFilter") or {}).get("FilterExpression"),
        )
        self._filters(wanted, lambda filters: {**filters, wanted["Name"]: shows})

    def delete_filter(self, entry: Entry, given: Entry) -> None:
        self._filters(given, lambda filters: {name: one for name, one in filters.items() if name != given["Name"]})

    def _filters(self, at: Entry, change: Callable[[Mapping[str, DataFilter]], Mapping[str, DataFilter]]) -> None:
        databases = self.catalog(at["TableCatalogId"]).databases
        database = databases[at["DatabaseName"]]
        table = database.tables[at["TableName"]]
        tables = {**database.tables, at["TableName"]: replace(table, filters=change(table.filters))}
        databases[at["DatabaseName"]] = replace(database, tables=tables)

    # ------------------------------------------------------------------------------------------------------- RAM
    def accept(self, entry: Entry, given: Entry) -> None:
        catalog = self.catalog(entry["account"])
        catalog.accepted |= {given["resourceShareInvitationArn"].split(":")[4]}


_HANDLERS = {
    ("lakeformation", "PutDataLakeSettings"): Replay.settings,
    ("lakeformation", "GrantPermissions"): Replay.grant,
    ("lakeformation", "BatchGrantPermissions"): Replay.grant,
    ("lakeformation", "RevokePermissions"): Replay.revoke,
    ("lakeformation", "BatchRevokePermissions"): Replay.revoke,
    ("lakeformation", "AddLFTagsToResource"): Replay.add_tags,
    ("lakeformation", "RemoveLFTagsFromResource"): Replay.remove_tags,
    ("lakeformation", "CreateDataCellsFilter"): Replay.put_filter,
    ("lakeformation", "UpdateDataCellsFilter"): Replay.put_filter,
    ("lakeformation", "DeleteDataCellsFilter"): Replay.delete_filter,
    ("glue", "CreateDatabase"): Replay.create_database,
    ("glue", "DeleteDatabase"): Replay.delete_database,
    ("glue", "CreateTable"): Replay.put_table,
    ("glue", "UpdateTable"): Replay.put_table,
    ("glue", "DeleteTable"): Replay.delete_table,
    ("ram", "AcceptResourceShareInvitation"): Replay.accept,
}


def _merged(tags: Mapping[str, str], change: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**tags, **change}
    return {key: value for key, value in merged.items() if value is not None}


def resource(given: Entry, account: str) -> Resource:
    """A resource of the API as the value that the evaluator knows."""
    ((kind, what),) = given.items()
    catalog = what.get("CatalogId") or account
    match kind:
        case "Catalog":
            return CatalogResource(account)
        case "Database":
            return DatabaseResource(catalog, what["Name"])
        case "Table":
            return TableResource(catalog, what["DatabaseName"], what.get("Name"))
        case "TableWithColumns":
            names = what.get("ColumnNames")
            return ColumnsResource(catalog, what["DatabaseName"], what["Name"], frozenset(names) if names else None)
        case "LFTagPolicy":
            expression = tuple(sorted((one["TagKey"], frozenset(one["TagValues"])) for one in what["Expression"]))
            return TagPolicyResource(catalog, what["ResourceType"], expression)
        case "LFTag":
            return TagResource(catalog, what["TagKey"], frozenset(what["TagValues"]))
        case "DataCellsFilter":
            return DataFilterResource(what["TableCatalogId"], what["DatabaseName"], what["TableName"], what["Name"])
        case "DataLocation":
            return DataLocationResource(catalog, what["ResourceArn"])
    raise ValueError(f"no resource of the evaluator for {kind}")


def states(entries: Iterable[Entry]) -> Iterator[tuple[Entry, State]]:
    """Each entry that could change access, with the state after it."""
    replay = Replay()
    for entry in entries:
        if replay.apply(entry):
            yield entry, replay.state()
