"""Reading an account: every page, in the words of the evaluator, and refusals that say what to mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lakemesh.access.observed import InvitationState, SettingsState, ShareState
from lakemesh.access.state import (
    CatalogResource,
    ColumnsResource,
    DatabaseResource,
    DatabaseState,
    DataFilter,
    DataFilterResource,
    DataLocationResource,
    Permission,
    Resource,
    TableResource,
    TagPolicyResource,
    TagResource,
    expression,
)
from lakemesh.live import rows
from lakemesh.live.caller import READS, Caller, LiveError
from lakemesh.live.reading import read_central, read_consumer

OWNER, OTHER = "000000000011", "000000000022"
ROLE = f"arn:aws:iam::{OTHER}:role/Ana"

Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Fake:
    """Clients that answer from a table by operation, and write down what they were asked."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, service: str) -> Any:
        def ask(name: str) -> Callable[..., Any]:
            def call(**given: Any) -> Any:
                self.asked.append((f"{service}:{''.join(part.capitalize() for part in name.split('_'))}", given))
                answer = self.answers.get(name, {})
                answer = answer(given) if callable(answer) else answer
                if isinstance(answer, Exception):
                    raise answer
                return answer

            return call

        return type("Client", (), {"__getattr__": lambda _, name: ask(name)})()


def pages(member: str, *items: list[Any], token: str = "NextToken") -> Answer:  # noqa: S107 - a page's
    """One page each, the token being the number of the next."""

    def answer(given: Mapping[str, Any]) -> Mapping[str, Any]:
        number = int(given.get(token, 0))
        more = {token: str(number + 1)} if number + 1 < len(items) else {}
        return {member: items[number], **more}

    return answer


def line(resource: Mapping[str, Any], *permissions: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "Principal": {"DataLakePrincipalIdentifier": ROLE},
        "Resource": resource,
        "Permissions": list(permissions),
        "PermissionsWithGrantOption": list(options),
    }


SETTINGS: Mapping[str, Any] = {"DataLakeSettings": {"Parameters": {"CROSS_ACCOUNT_VERSION": "4"}}}


# -------------------------------------------------------------------------------------------------------------- rows
@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"Catalog": {}}, CatalogResource(OWNER)),
        ({"Catalog": {"Id": OTHER}}, CatalogResource(OTHER)),
        ({"Database": {"CatalogId": OTHER, "Name": "d"}}, DatabaseResource(OTHER, "d")),
        ({"Table": {"DatabaseName": "d", "Name": "t"}}, TableResource(OWNER, "d", "t")),
        ({"Table": {"DatabaseName": "d", "Name": "ALL_TABLES", "TableWildcard": {}}}, TableResource(OWNER, "d", None)),
        ({"Table": {"DatabaseName": "d", "TableWildcard": {}}}, TableResource(OWNER, "d", None)),
        (
            {"TableWithColumns": {"DatabaseName": "d", "Name": "t", "ColumnWildcard": {}}},
            TableResource(OWNER, "d", "t"),
        ),
        (
            {"TableWithColumns": {"DatabaseName": "d", "Name": "ALL_TABLES", "ColumnWildcard": {}}},
            TableResource(OWNER, "d", None),
        ),
        (
            {"TableWithColumns": {"DatabaseName": "d", "Name": "t", "ColumnNames": ["a", "b"]}},
            ColumnsResource(OWNER, "d", "t", frozenset({"a", "b"})),
        ),
        (
            {"TableWithColumns": {"DatabaseName": "d", "Name": "t", "ColumnWildcard": {"ExcludedColumnNames": ["a"]}}},
            ColumnsResource(OWNER, "d", "t", None, frozenset({"a"})),
        ),
        (
            {"DataCellsFilter": {"TableCatalogId": OTHER, "DatabaseName": "d", "TableName": "t", "Name": "f"}},
            DataFilterResource(OTHER, "d", "t", "f"),
        ),
        ({"DataLocation": {"ResourceArn": "arn:aws:s3:::b/p/"}}, DataLocationResource(OWNER, "arn:aws:s3:::b/p")),
        ({"LFTag": {"TagKey": "k", "TagValues": ["a", "b"]}}, TagResource(OWNER, "k", frozenset({"a", "b"}))),
        (
            {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": [{"TagKey": "k", "TagValues": ["a"]}]}},
            TagPolicyResource(OWNER, "TABLE", expression({"k": ["a"]})),
        ),
    ],
)
def test_each_kind_of_resource_is_read_as_the_evaluator_knows_it(
    document: Mapping[str, Any], expected: Resource
) -> None:
    assert rows.resource(document, OWNER) == expected


def test_a_resource_of_a_kind_that_the_mesh_never_grants_on_is_left_out() -> None:
    assert rows.permission(line({"LFTagExpression": {"Name": "saved"}}, "DESCRIBE"), OWNER) is None


def test_settings_that_were_never_put_are_open_and_of_version_one() -> None:
    everyone = [{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}]
    new = {"CreateDatabaseDefaultPermissions": everyone, "CreateTableDefaultPermissions": everyone}
    assert rows.settings(new) == SettingsState(open_databases=True, open_tables=True, version=1)


@pytest.mark.parametrize(
    ("document", "shows"),
    [
        ({"ColumnNames": ["a"], "RowFilter": {"AllRowsWildcard": {}}}, DataFilter(frozenset({"a"}))),
        (
            {"ColumnWildcard": {"ExcludedColumnNames": ["a"]}, "RowFilter": {"FilterExpression": "b = 1"}},
            DataFilter(None, frozenset({"a"}), "b = 1"),
        ),
        ({"ColumnWildcard": {}, "RowFilter": {"FilterExpression": "TRUE"}}, DataFilter()),
    ],
)
def test_filters_are_read_with_their_columns_and_rows(document: Mapping[str, Any], shows: DataFilter) -> None:
    assert rows.data_filter(document) == shows


# ------------------------------------------------------------------------------------------------------------- pages
def test_the_governance_account_is_read_to_the_last_page() -> None:
    database = {"Database": {"Name": "d"}}
    base = f"arn:aws:ram:eu-west-1:{OWNER}:resource-share/"
    columns = [{"Name": f"c{number}"} for number in range(600)]
    fake = Fake(
        get_data_lake_settings=SETTINGS,
        list_permissions=pages(
            "PrincipalResourcePermissions", [line(database, "DESCRIBE")], [line(database, "ALTER", options=("ALTER",))]
        ),
        get_databases=pages("DatabaseList", [{"Name": "d"}], [], [{"Name": "elsewhere"}]),
        get_tables=pages(
            "TableList",
            [{"Name": "t", "StorageDescriptor": {"Columns": columns}, "PartitionKeys": [{"Name": "day"}]}],
            [{"Name": "u", "CreatedBy": f"arn:aws:sts::{OWNER}:assumed-role/sync/session"}],
        ),
        list_data_cells_filter=pages(
            "DataCellsFilters",
            [],
            [{"DatabaseName": "d", "TableName": "t", "Name": "f", "ColumnNames": ["c1"]}],
        ),
        list_lf_tags=pages("LFTags", [{"TagKey": "k", "TagValues": ["a"]}], [{"TagKey": "l", "TagValues": ["b", "c"]}]),
        get_resource_lf_tags=lambda given: {
            "LFTagOnDatabase": [{"TagKey": "k", "TagValues": ["a"]}],
            "LFTagsOnTable": [{"TagKey": "l", "TagValues": ["b"]}],
            "LFTagsOnColumns": [
                {"Name": name, "LFTags": [{"TagKey": "k", "TagValues": ["a"]}]}
                for name in given["Resource"].get("TableWithColumns", {}).get("ColumnNames", ())
                if name in {"c0", "c599", "day"}
            ],
        },
        get_resource_shares=pages(
            "resourceShares",
            [{"resourceShareArn": f"{base}1", "name": "LakeFormation-V4-A", "owningAccountId": OWNER}],
            [{"resourceShareArn": f"{base}2", "name": "somebody-elses", "owningAccountId": OWNER}],
            token="nextToken",
        ),
        list_resources=pages(
            "resources",
            [{"resourceShareArn": f"{base}1", "arn": "b"}],
            [{"resourceShareArn": f"{base}1", "arn": "a"}, {"resourceShareArn": f"{base}2", "arn": "c"}],
            token="nextToken",
        ),
    )
    state = read_central(Caller(OWNER, "central", fake), ["d"])
    assert state.catalog.permissions == {
        Permission(ROLE, DatabaseResource(OWNER, "d"), frozenset({"DESCRIBE"})),
        Permission(ROLE, DatabaseResource(OWNER, "d"), frozenset({"ALTER"}), frozenset({"ALTER"})),
    }
    assert state.ontology == {"k": {"a"}, "l": {"b", "c"}}
    assert state.shares == (ShareState("LakeFormation-V4-A", f"{base}1", ("a", "b")),)
    table = state.catalog.databases["d"].tables["t"]
    assert (table.tags, set(table.column_tags), set(table.filters)) == ({"l": "b"}, {"c0", "c599", "day"}, {"f"})
    assert state.catalog.databases["d"].tables["u"].creator == f"arn:aws:iam::{OWNER}:role/sync"
    assert state.catalog.databases["elsewhere"] == DatabaseState()  # its tables are nobody's of the mesh
    assert {call.lower() for call, _ in fake.asked} <= {call.lower() for call in READS}


def test_a_consumers_grants_on_both_catalogs_links_and_invitations_are_read() -> None:
    def listed(given: Mapping[str, Any]) -> Mapping[str, Any]:
        name = "own" if given["CatalogId"] == OTHER else "shared"
        return {"PrincipalResourcePermissions": [line({"Database": {"Name": name}}, "DESCRIBE")]}

    share = f"arn:aws:ram:eu-west-1:{OWNER}:resource-share/1"
    target = {"CatalogId": OWNER, "DatabaseName": "shared"}
    invitation = {"resourceShareArn": share, "senderAccountId": OWNER, "status": "EXPIRED"}
    fake = Fake(
        get_data_lake_settings=SETTINGS,
        list_permissions=listed,
        get_databases=pages("DatabaseList", [{"Name": "own"}], [{"Name": "link", "TargetDatabase": target}]),
        get_resource_shares=pages(
            "resourceShares",
            [{"resourceShareArn": share, "name": "LakeFormation-V4-A", "owningAccountId": OWNER}],
            [{"resourceShareArn": "x", "name": "another", "owningAccountId": "000000000033"}],
            token="nextToken",
        ),
        get_resource_share_invitations=pages(
            "resourceShareInvitations",
            [{**invitation, "resourceShareName": "LakeFormation-V4-A"}],
            [{**invitation, "resourceShareName": "theirs"}],
            token="nextToken",
        ),
    )
    state = read_consumer(Caller(OTHER, "consumer lab", fake), OWNER)
    assert {row.resource for row in state.catalog.permissions} == {
        DatabaseResource(OTHER, "own"),
        DatabaseResource(OWNER, "shared"),
    }
    assert state.catalog.databases["link"].link_to == (OWNER, "shared")
    assert state.catalog.shares_accepted_from == {OWNER}
    assert state.invitations == (InvitationState(share, "LakeFormation-V4-A", OWNER, "EXPIRED"),)
    assert {call.lower() for call, _ in fake.asked} <= {call.lower() for call in READS}


def test_a_token_that_comes_back_unchanged_ends_the_reading() -> None:
    fake = Fake(list_permissions={"PrincipalResourcePermissions": [1], "NextToken": "same"})
    caller = Caller(OWNER, "central", fake)
    assert list(caller.pages("lakeformation", "ListPermissions", "PrincipalResourcePermissions")) == [1, 1]


# ---------------------------------------------------------------------------------------------------------- refusals
def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "ListPermissions")


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (refusal("AccessDeniedException", "not authorized to perform"), "Allow lakeformation:GetDataLakeSettings"),
        (refusal("AccessDeniedException", "Insufficient Lake Formation permission(s)"), "a data lake administrator"),
        (refusal("ExpiredTokenException", "expired"), "renew them"),
        (refusal("InternalServiceException", "sorry"), "Run it again"),
        (EndpointConnectionError(endpoint_url="https://x.example"), "endpoint can be reached"),
    ],
)
def test_a_refusal_names_the_account_the_call_the_cause_and_the_mend(error: Exception, mend: str) -> None:
    fake = Fake(get_data_lake_settings=lambda _: error)  # type: ignore[arg-type,return-value]
    with pytest.raises(LiveError) as told:
        read_consumer(Caller(OTHER, "consumer lab", fake), OWNER)
    text = str(told.value)
    assert text.startswith(f"consumer lab ({OTHER}): lakeformation:GetDataLakeSettings ")
    assert mend in text
