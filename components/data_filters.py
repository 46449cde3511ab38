"""Data cells filters: which columns and rows of a table somebody may be granted."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi_aws.lakeformation import DataCellsFilterTableDataArgsDict


class DataFilterArgs(TypedDict):
    """One filter. Its `filter` name is made from what it shows: another content is another filter."""

    name: str
    """The end of its logical name, unique among the filters."""
    catalog: str
    """Account id of the catalog that the table is in."""
    database: str
    """Name of the table's database."""
    table: str
    """Name of the table."""
    filter: str
    """Name of the filter in Lake Formation."""
    columns: Sequence[str]
    """Columns that it shows, without partition keys, which show always."""
    rows: NotRequired[str]
    """Condition that rows must meet; every row if left out."""


class DataFiltersArgs(TypedDict):
    """Arguments of DataFilters."""

    filters: Sequence[DataFilterArgs]
    """The filters."""


class DataFilters(pulumi.ComponentResource):
    """Data cells filters of one domain.

    Shows nothing to anybody: SELECT on a filter is a grant, which is made after it and taken back before it goes. Lists
    columns one by one and never "all but", so that a column which is new tomorrow is not shown by it.
    """

    names: pulumi.Output[Sequence[str]]
    """Names of the filters, sorted."""

    def __init__(self, name: str, args: DataFiltersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:DataFilters", name, {}, opts)
        for entry in args["filters"]:
            if not entry["columns"]:
                raise ValueError(f"{entry['name']}: a filter names the columns that it shows")
            data: DataCellsFilterTableDataArgsDict = {
                "table_catalog_id": entry["catalog"],
                "database_name": entry["database"],
                "table_name": entry["table"],
                "name": entry["filter"],
                "column_names": sorted(entry["columns"]),
                "row_filter": {"filter_expression": entry["rows"]} if entry.get("rows") else {"all_rows_wildcard": {}},
            }
            aws.lakeformation.DataCellsFilter(
                f"{name}-{entry['name']}", table_data=data, opts=pulumi.ResourceOptions(parent=self)
            )
        self.names = pulumi.Output.from_input(sorted(entry["filter"] for entry in args["filters"]))
        self.register_outputs({"names": self.names})
