"""Data cells filters of the local AWS: made by administrators, granted, enforced cell by cell, gone with their table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_aws.conftest import Clients
from tests.local_aws.lake import OWNER, RECIPIENT, Lake, refused, who
from tests.local_aws.queries import OWNER as CATALOG
from tests.local_aws.queries import World

ALL = {"AllRowsWildcard": {}}


def data(name: str = "f", table: str = "orders", **values: Any) -> dict[str, Any]:
    named = {"TableCatalogId": OWNER, "DatabaseName": "sales", "TableName": table, "Name": name}
    shown = {"ColumnNames": ["id", "amount"], "RowFilter": ALL}
    if "ColumnWildcard" in values:
        del shown["ColumnNames"]
    return {**named, **shown, **values}


def named(name: str = "f", table: str = "orders", catalog: str = OWNER) -> dict[str, str]:
    return {"TableCatalogId": catalog, "DatabaseName": "sales", "TableName": table, "Name": name}


@pytest.fixture
def lake(client: Clients) -> Lake:
    return Lake(client)


def test_a_filter_is_made_read_back_changed_and_deleted(lake: Lake) -> None:
    lake.owner.create_data_cells_filter(TableData=data())
    assert lake.owner.get_data_cells_filter(**named())["DataCellsFilter"] == data()
    lake.owner.update_data_cells_filter(TableData=data(RowFilter={"FilterExpression": "id = '3'"}))
    (listed,) = lake.owner.list_data_cells_filter(Table={"DatabaseName": "sales", "Name": "orders"})["DataCellsFilters"]
    assert listed["RowFilter"] == {"FilterExpression": "id = '3'"}
    lake.owner.delete_data_cells_filter(**named())
    with refused("EntityNotFoundException"):
        lake.owner.get_data_cells_filter(**named())


@pytest.mark.parametrize(
    ("values", "code", "reason"),
    [
        ({"ColumnNames": ["id", "nowhere"]}, "EntityNotFoundException", "Column nowhere"),
        ({"ColumnWildcard": {"ExcludedColumnNames": ["nowhere"]}}, "EntityNotFoundException", "Column nowhere"),
        ({"ColumnNames": ["id"], "RowFilter": {}}, "InvalidInputException", "filter expression"),
        ({"ColumnNames": []}, "InvalidInputException", "column"),
        ({"RowFilter": {"FilterExpression": "nowhere = 1"}}, "InvalidInputException", "Unsupported filter expression"),
        ({"RowFilter": {"FilterExpression": "lower(id) = 'a'"}}, "InvalidInputException", "Unsupported"),
        ({"RowFilter": {"FilterExpression": "day is null"}}, "InvalidInputException", "partition key"),
        ({"ColumnNames": ["day"]}, "NotImplementedByLocalAws", "partition key day"),
        ({"ColumnNames": ["id.x"]}, "NotImplementedByLocalAws", "nested columns"),
        ({"TableName": "nowhere"}, "EntityNotFoundException", "Table nowhere"),
        ({"DatabaseName": "nowhere"}, "EntityNotFoundException", "Database nowhere"),
    ],
)
def test_what_no_filter_may_be_is_refused(lake: Lake, values: dict[str, Any], code: str, reason: str) -> None:
    with refused(code, reason):
        lake.owner.create_data_cells_filter(TableData=data(**values))


def test_a_name_is_taken_once(lake: Lake) -> None:
    lake.owner.create_data_cells_filter(TableData=data())
    with refused("AlreadyExistsException"):
        lake.owner.create_data_cells_filter(TableData=data())


def test_who_may_not_grant_the_table_makes_no_filter_of_it(lake: Lake, client: Clients) -> None:
    local = lake.role(OWNER, "Local")
    with refused("AccessDeniedException"):
        client.role(local, "lakeformation").create_data_cells_filter(TableData=data())


def test_a_link_has_no_filters(lake: Lake) -> None:
    with refused("InvalidInputException", "resource links"):
        lake.recipient.create_data_cells_filter(TableData=data(TableCatalogId=RECIPIENT))


def test_a_grant_on_a_filter_is_listed_with_it_and_taken_back(lake: Lake) -> None:
    local = lake.role(OWNER, "Local")
    lake.owner.create_data_cells_filter(TableData=data())
    lake.grant(local, {"DataCellsFilter": named()}, "SELECT")
    (listed,) = lake.owner.list_permissions(Principal=who(local), Resource={"DataCellsFilter": named()})[
        "PrincipalResourcePermissions"
    ]
    assert listed["Resource"] == {"DataCellsFilter": named()}
    assert (listed["Permissions"], listed["PermissionsWithGrantOption"]) == (["SELECT"], [])
    lake.owner.revoke_permissions(Principal=who(local), Resource={"DataCellsFilter": named()}, Permissions=["SELECT"])
    assert lake.owner.list_permissions(Principal=who(local))["PrincipalResourcePermissions"] == []


def test_grants_on_filters_follow_the_rules_of_a_partial_select(lake: Lake) -> None:
    local = lake.role(OWNER, "Local")
    lake.owner.create_data_cells_filter(TableData=data())
    with refused("EntityNotFoundException", "nothing"):
        lake.grant(local, {"DataCellsFilter": named("nothing")}, "SELECT")
    with refused("InvalidInputException"):
        lake.grant(local, {"DataCellsFilter": named()}, "DESCRIBE")
    lake.grant(local, {"DataCellsFilter": named()}, "SELECT")
    with refused("InvalidInputException", "DESCRIBE and the like"):
        lake.grant(local, {"Table": {"DatabaseName": "sales", "Name": "orders"}}, "DESCRIBE")


def test_a_filter_goes_with_its_table_and_its_grants_with_it(lake: Lake) -> None:
    local = lake.role(OWNER, "Local")
    lake.owner.create_data_cells_filter(TableData=data())
    lake.grant(local, {"DataCellsFilter": named()}, "SELECT")
    lake.glue.delete_table(DatabaseName="sales", Name="orders")
    assert lake.owner.list_permissions(Principal=who(local))["PrincipalResourcePermissions"] == []
    lake.glue.create_table(DatabaseName="sales", TableInput=lake.table("orders"))
    with refused("EntityNotFoundException"):
        lake.owner.get_data_cells_filter(**named())


# --------------------------------------------------------------------------------------------------------- enforcement
@pytest.fixture
def world(client: Clients) -> World:
    found = World(client)
    found.orders()
    return found


def show(world: World, name: str, columns: list[str] | None, rows: str | None) -> None:
    """Make a filter of the orders and grant it to the analyst."""
    which = {"ColumnNames": columns} if columns else {"ColumnWildcard": {}}
    given = {"FilterExpression": rows} if rows else {"AllRowsWildcard": {}}
    world.lf.create_data_cells_filter(TableData={**named(name, catalog=CATALOG), **which, "RowFilter": given})
    resource = {"DataCellsFilter": named(name, catalog=CATALOG)}
    world.lf.grant_permissions(Principal=who(world.analyst), Resource=resource, Permissions=["SELECT"])
    world.accept()


def test_a_filter_shows_its_columns_and_its_rows_and_nothing_else(world: World) -> None:
    show(world, "f", ["id", "amount"], "id >= 2")
    assert world.rows("SELECT * FROM orders ORDER BY id") == [
        ["id", "amount", "day"],
        ["2", "2.00", "2026-05-04"],
        ["3", "3.00", "2026-05-05"],
    ]
    assert world.rows("SELECT count(*) FROM orders")[1] == ["2"]
    assert world.refusal("SELECT iban FROM orders").startswith("COLUMN_NOT_FOUND")


def test_a_filter_may_decide_by_a_column_that_it_withholds(world: World) -> None:
    show(world, "f", ["id"], "amount > 2")
    assert world.rows("SELECT id FROM orders") == [["id"], ["3"]]
    assert world.refusal("SELECT id FROM orders WHERE amount > 1").startswith("COLUMN_NOT_FOUND")


def test_a_condition_on_a_type_that_filters_do_not_take_is_refused(world: World) -> None:
    with refused("InvalidInputException", "text, numbers"):
        show(world, "f", ["id"], "day = '2026-05-05'")


def test_glue_shows_the_columns_of_the_filter_alone(world: World, client: Clients) -> None:
    show(world, "f", ["id", "amount"], "id >= 2")
    table = client.role(world.analyst, "glue").get_table(DatabaseName="sales", Name="orders")["Table"]
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["id", "amount"]


def test_several_filters_show_the_cells_of_either(world: World) -> None:
    show(world, "a", ["id"], "id <= 2")
    show(world, "b", ["amount"], "id >= 2")
    assert world.rows("SELECT id, amount FROM orders ORDER BY day, id NULLS LAST") == [
        ["id", "amount"],
        ["1", None],
        ["2", "2.00"],
        [None, "3.00"],
    ]


def test_a_grant_without_a_filter_beside_it_shows_every_row(world: World) -> None:
    """Permissions are a union: this is why validation refuses the two together."""
    show(world, "f", ["id"], "id = 1")
    world.grant("orders", "id", "amount", "day")
    assert len(world.rows("SELECT id FROM orders")) == 4


def test_a_filter_of_no_row_is_an_empty_answer_and_no_refusal(world: World) -> None:
    show(world, "f", ["id"], "id > 100")
    assert world.rows("SELECT id FROM orders") == [["id"]]
