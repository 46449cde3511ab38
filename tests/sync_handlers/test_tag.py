"""The `tag` handler's logic through its real access module, against strict stand-ins."""

from __future__ import annotations

from typing import Any

import pytest

from sync_handlers import tag
from sync_handlers.budget import Budget
from sync_handlers.errors import IncompleteError, NotDeployedError, OutOfTimeError
from sync_handlers.events import tag_event
from sync_handlers.manifest import parse
from sync_handlers.tag_access import TwinTags
from tests.sync_handlers.fakes import FakeGlue, FakeLakeFormation, budget, error
from tests.sync_handlers.tables import CENTRAL, column, contract, document, orders_contract, parquet, view

DB = "sales_raw"


class World:
    def __init__(self, *contracts: dict[str, Any]) -> None:
        self.glue, self.lf = FakeGlue(CENTRAL, DB), FakeLakeFormation()
        self.contracts = list(contracts or [orders_contract()])
        for listed in self.contracts:
            if listed["kind"] == "table":
                self.glue.put(DB, parquet(listed["table"]))

    def event(self, **more: Any) -> dict[str, Any]:
        tables = {
            f"{DB}.{listed['table']}": listed["digest"] for listed in self.contracts if listed["product"] == "orders"
        }
        return {"action": "tag", "product": "orders", "tables": tables, **more}

    def run(self, event: dict[str, Any] | None = None, within: Budget | None = None) -> dict[str, Any]:
        self.lf.calls.clear()
        clock = within or budget()
        access = lambda twin: TwinTags(self.glue, self.lf, CENTRAL, twin, clock)  # type: ignore[arg-type]  # noqa: E731
        return tag.run(tag_event(event or self.event()), parse(document(*self.contracts)), access, clock)

    def column(self, name: str, table: str = "orders") -> dict[str, str]:
        return dict(self.lf.column_tags[DB, table][name])


def test_columns_get_the_tags_of_their_contract_and_a_second_run_changes_nothing() -> None:
    world = World()
    result = world.run()["tables"]["sales_raw.orders"]
    assert (result["tagged"], result["pending"], result["unreviewed"]) == (4, [], [])
    assert world.column("email") == {"sensitivity": "confidential"}
    assert world.column("day") == {"sensitivity": "public"}
    assert world.lf.table_tags[DB, "orders"] == {"product": "orders"}
    again = world.run()["tables"]["sales_raw.orders"]
    assert world.lf.writes == []
    assert again["changes"] == {"added": 0, "removed": 0}


def test_columns_of_one_sensitivity_travel_in_one_call() -> None:
    world = World()
    world.run()
    added = [params["Resource"] for name, params in world.lf.calls if name == "add_lf_tags_to_resource"]
    assert [resource["TableWithColumns"]["ColumnNames"] for resource in added[1:]] == [
        ["email"],
        ["amount", "id"],
        ["day"],
    ]


def test_a_raised_sensitivity_replaces_the_old_one_in_place() -> None:
    world = World()
    world.run()
    world.contracts = [orders_contract(id=("bigint", "restricted"))]
    world.run()
    assert world.column("id") == {"sensitivity": "restricted"}
    assert world.lf.writes == ["add_lf_tags_to_resource"]


def test_a_column_whose_review_is_withdrawn_loses_its_tag() -> None:
    world = World()
    world.run()
    world.contracts = [orders_contract(id=("bigint", None))]
    result = world.run()["tables"]["sales_raw.orders"]
    assert world.column("id") == {}
    assert result["unreviewed"] == ["id"]


def test_a_tag_that_somebody_set_by_hand_on_an_unreviewed_column_goes() -> None:
    world = World(orders_contract(email=("string", None)))
    world.lf.column_tags[DB, "orders"]["email"] = {"sensitivity": "public"}
    world.lf.table_tags[DB, "orders"] = {"sensitivity": "public", "domain": "elsewhere"}
    world.run()
    assert world.column("email") == {}
    assert world.lf.table_tags[DB, "orders"] == {"product": "orders"}


def test_a_partition_key_that_appears_unreviewed_takes_every_columns_tag_away() -> None:
    world = World()
    world.run()
    world.glue.put(DB, parquet(PartitionKeys=[column("day", "date"), column("customer")]))
    world.run()
    assert all(world.column(name) == {} for name in ("id", "email", "amount", "day"))


def test_a_recreated_table_is_tagged_again() -> None:
    world = World()
    world.run()
    world.lf.column_tags.clear()
    world.lf.table_tags.clear()
    world.run()
    assert world.column("id") == {"sensitivity": "internal"}


def test_a_table_that_central_does_not_have_yet_is_pending_and_no_failure() -> None:
    world = World()
    world.glue.tables.clear()
    assert world.run()["tables"]["sales_raw.orders"] == {
        "missing": True,
        "pending": ["id", "email", "amount", "day"],
    }


def test_a_table_of_1500_columns_is_tagged_within_the_bound_of_a_call() -> None:
    names = [f"c{number:04d}" for number in range(1500)]
    world = World(contract("wide", **dict.fromkeys(names, ("string", "internal"))))
    table = parquet("wide", PartitionKeys=[])
    table["StorageDescriptor"]["Columns"] = [column(name) for name in names]
    world.glue.put(DB, table)
    assert world.run()["tables"]["sales_raw.wide"]["tagged"] == 1500
    assert world.lf.count("add_lf_tags_to_resource") == 4


def test_long_lists_of_a_result_are_cut_and_counted() -> None:
    names = [f"c{number:04d}" for number in range(250)]
    world = World(contract("wide", **dict.fromkeys(names, ("string", None))))
    result = world.run()["tables"]["sales_raw.wide"]
    assert len(result["pending"]) == 100
    assert result["pendingOmitted"] == 150


def test_a_view_is_tagged_as_a_whole() -> None:
    listed = contract(
        "open_orders",
        kind="view",
        tags={"sensitivity": "internal"},
        id=("bigint", "public"),
        amount=("decimal(18,2)", "internal"),
    )
    world = World(listed)
    world.glue.put(DB, view())
    world.run()
    assert world.lf.table_tags[DB, "open_orders"] == {"product": "orders", "sensitivity": "internal"}
    assert not any(world.lf.column_tags[DB, "open_orders"].values())


# ------------------------------------------------------------------------------------------------- life cycle
def test_removing_a_product_takes_its_tags_and_leaves_others() -> None:
    world = World()
    world.run()
    world.lf.table_tags[DB, "orders"]["cost_center"] = "4711"
    result = world.run(world.event(tf={"action": "delete", "prev_input": None}))
    assert result["tables"]["sales_raw.orders"]["untagged"] is True
    assert world.lf.table_tags[DB, "orders"] == {"cost_center": "4711"}
    assert world.column("email") == {}


def test_removal_does_not_ask_for_a_current_manifest() -> None:
    world = World()
    world.run()
    event = world.event(tables={"sales_raw.orders": "an older digest"}, tf={"action": "delete"})
    world.contracts = []
    world.run(event)
    assert world.column("email") == {}


def test_removing_the_tags_of_a_table_that_is_gone_succeeds() -> None:
    world = World()
    world.glue.tables.clear()
    assert world.run(world.event(tf={"action": "delete"}))["tables"] == {"sales_raw.orders": {"missing": True}}


def test_a_table_that_left_the_product_is_untagged() -> None:
    world = World()
    world.run()
    event = {"action": "tag", "product": "orders", "tables": {},
             "tf": {"action": "update", "prev_input": world.event()}}  # fmt: skip
    world.contracts = []
    world.run(event)
    assert world.column("email") == {}


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_table_that_another_product_took_over_keeps_that_products_tags(action: str) -> None:
    world = World()
    before = world.event()
    world.contracts = [{**orders_contract(), "product": "sales", "tags": {"product": "sales"}}]
    world.run({**world.event(), "product": "sales", "tables": {"sales_raw.orders": "digest-of-orders"}})
    tables = {} if action == "update" else before["tables"]
    world.run({**before, "tables": tables, "tf": {"action": action, "prev_input": before}})
    assert world.lf.table_tags[DB, "orders"] == {"product": "sales"}
    assert world.column("email") == {"sensitivity": "confidential"}


def test_an_older_manifest_tags_nothing_and_says_what_to_deploy() -> None:
    world = World(orders_contract(), contract("returns", id=("bigint", "public")))
    event = world.event()
    event["tables"]["sales_raw.returns"] = "newer"
    with pytest.raises(
        NotDeployedError, match=r"sales_raw\.returns.*deploy stack central first \(pulumi up --stack central\)"
    ):
        world.run(event)
    assert world.lf.calls == []


# --------------------------------------------------------------------------------------------------- failures
def failure(key: str, code: str) -> dict[str, Any]:
    return {"LFTag": {"TagKey": key, "TagValues": ["x"]}, "Error": {"ErrorCode": code, "ErrorMessage": "because"}}


def test_tags_that_lake_formation_refuses_one_by_one_are_read_and_named() -> None:
    world = World()
    world.lf.failures = [[failure("product", "AccessDeniedException")]]
    with pytest.raises(
        IncompleteError, match=r"(?s)stay unreadable.*sales_raw\.orders: product=x: AccessDeniedException: because"
    ):
        world.run()


def test_a_tag_that_must_go_goes_though_another_could_not_be_set() -> None:
    world = World(orders_contract(email=("string", None)))
    world.lf.column_tags[DB, "orders"]["email"] = {"sensitivity": "public"}
    world.lf.failures = [[failure("product", "AccessDeniedException")]]
    with pytest.raises(IncompleteError):
        world.run()
    assert world.column("email") == {}
    assert world.column("id") == {"sensitivity": "internal"}


def test_tags_that_collided_with_another_change_are_sent_again() -> None:
    world = World()
    world.lf.failures = [[failure("product", "ConcurrentModificationException")]] * 2
    world.run()
    assert world.lf.table_tags[DB, "orders"] == {"product": "orders"}


def test_a_call_that_collided_is_sent_again_a_bounded_number_of_times() -> None:
    world = World()
    world.lf.fail["add_lf_tags_to_resource"] = [error("ConcurrentModificationException")] * 2
    world.run()
    world.lf.table_tags.clear()
    world.lf.fail["add_lf_tags_to_resource"] = [error("ConcurrentModificationException", "busy")] * 99
    with pytest.raises(IncompleteError, match="ConcurrentModificationException: busy"):
        world.run()


def test_one_table_that_fails_does_not_keep_the_others_from_their_tags() -> None:
    world = World(orders_contract(), contract("returns", id=("bigint", "public"), day=("date", "public", 1)))
    world.glue.fail["get_table"] = [error("AccessDeniedException", "Insufficient Lake Formation permission(s)")]
    with pytest.raises(IncompleteError, match=r"(?s)1 table are|sales_raw\.orders.*tag role.*domain-sales") as failed:
        world.run()
    assert "returns" not in str(failed.value)
    assert world.column("id", "returns") == {"sensitivity": "public"}


def test_a_missing_table_hidden_by_a_refusal_is_not_taken_for_missing() -> None:
    world = World()
    world.glue.fail["get_table"] = [error("AccessDeniedException")]
    with pytest.raises(IncompleteError, match="refuses the tag role"):
        world.run(world.event(tf={"action": "delete"}))


def test_written_tags_are_read_back_until_they_show() -> None:
    world = World()
    world.run()
    world.contracts = [orders_contract(id=("bigint", "restricted"))]
    world.lf.before["add_lf_tags_to_resource"] = lambda _: setattr(world.lf, "stale_reads", 3)
    world.run()
    assert world.column("id") == {"sensitivity": "restricted"}


def test_tags_that_never_show_fail_the_run_and_are_named() -> None:
    world = World()
    world.lf.before["add_lf_tags_to_resource"] = lambda _: setattr(world.lf, "stale_reads", 10**6)
    with pytest.raises(
        IncompleteError, match=r"(?s)read back, LF-Tags are not as written.*day: \{'sensitivity': 'public'\}"
    ):
        world.run()


def test_a_run_short_of_time_names_the_tables_that_are_left() -> None:
    world = World(orders_contract(), contract("returns", id=("bigint", "public"), day=("date", "public", 1)))
    clock = Budget(lambda: 10_000 if world.column("day") else 900_000, sleep=lambda _: None)
    with pytest.raises(OutOfTimeError, match=r"(?s)2 tables left:.*returns.*it continues where it stopped"):
        world.run(within=clock)
