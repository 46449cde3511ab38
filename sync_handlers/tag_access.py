"""The tag handler's only way to Glue and Lake Formation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.exceptions import ClientError

from sync_handlers import clients
from sync_handlers.budget import Budget
from sync_handlers.calling import fail
from sync_handlers.tagging import Assigned, Step

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_lakeformation.client import LakeFormationClient

TAGS_A_CALL = 50
"""LFTagsList of the Lake Formation API (service model of the SDK)."""
COLUMNS_A_CALL = 500
"""Our own bound: the API states none, and a table may have thousands of columns."""
ATTEMPTS = 6
_COLLISIONS = frozenset({"ConcurrentModificationException", "InternalServiceException", "OperationTimeoutException"})


class TagError(Exception):
    """Lake Formation refused some of the tags of a call."""


class Tagger(Protocol):
    def table(self, name: str) -> Mapping[str, Any]: ...
    def assigned(self, name: str, columns: Sequence[str]) -> Assigned: ...
    def add(self, name: str, step: Step) -> None: ...
    def remove(self, name: str, step: Step) -> None: ...


@dataclass(frozen=True)
class TwinTags:
    """LF-Tags on the tables of one twin."""

    glue: GlueClient
    lakeformation: LakeFormationClient
    catalog: str
    database: str
    budget: Budget

    def table(self, name: str) -> Mapping[str, Any]:
        """Glue's table; raises MissingError or DeniedError."""
        answer = self._call(lambda: self.glue.get_table(CatalogId=self.catalog, DatabaseName=self.database, Name=name))
        return cast("Mapping[str, Any]", answer["Table"])

    def assigned(self, name: str, columns: Sequence[str]) -> Assigned:
        """What is set directly on the table and on these columns, without what is inherited."""
        table = self._tags_of({"Table": self._table(name)})
        found: dict[str, dict[str, str]] = {}
        for some in _slices(columns, COLUMNS_A_CALL):
            answer = self._tags_of(self._resource(name, some))
            for column in answer.get("LFTagsOnColumns") or ():
                tags = _values(column.get("LFTags"))
                if tags:
                    found[column["Name"]] = tags
        return Assigned(_values(table.get("LFTagsOnTable")), found)

    def add(self, name: str, step: Step) -> None:
        self._change(self.lakeformation.add_lf_tags_to_resource, name, step)

    def remove(self, name: str, step: Step) -> None:
        self._change(self.lakeformation.remove_lf_tags_from_resource, name, step)

    def _change(self, call: Callable[..., Any], name: str, step: Step) -> None:
        """One change in as many calls as its limits ask for. Answers are 200 even when tags failed, so `Failures` is
        read."""
        for columns in _slices(step.columns, COLUMNS_A_CALL) if step.columns else [()]:
            for tags in _slices(step.tags, TAGS_A_CALL):
                given = [{"CatalogId": self.catalog, "TagKey": key, "TagValues": [value]} for key, value in tags]
                resource = self._resource(name, columns)
                self._until_settled(call, resource, given)

    def _until_settled(self, call: Callable[..., Any], resource: Any, tags: list[dict[str, Any]]) -> None:
        """Send `tags`; what only collided with another change is sent again, the rest raises TagError."""
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._call(partial(call, CatalogId=self.catalog, Resource=resource, LFTags=tags))
            failures = answer.get("Failures") or []
            if not failures:
                return
            codes = {(failure.get("Error") or {}).get("ErrorCode") for failure in failures}
            if attempt == ATTEMPTS or not codes <= _COLLISIONS:
                raise TagError("; ".join(_failure(failure) for failure in failures))
            keys = {(failure.get("LFTag") or {}).get("TagKey") for failure in failures}
            tags = [tag for tag in tags if tag["TagKey"] in keys]
            self.budget.back_off(attempt)

    def _tags_of(self, resource: Any) -> Any:
        return self._call(
            lambda: self.lakeformation.get_resource_lf_tags(
                CatalogId=self.catalog, Resource=resource, ShowAssignedLFTags=True
            )
        )

    def _table(self, name: str) -> dict[str, Any]:
        return {"CatalogId": self.catalog, "DatabaseName": self.database, "Name": name}

    def _resource(self, name: str, columns: Sequence[str]) -> Any:
        if not columns:
            return {"Table": self._table(name)}
        return {"TableWithColumns": {**self._table(name), "ColumnNames": list(columns)}}

    def _call(self, call: Callable[[], Any]) -> Any:
        """Lake Formation changes one resource at a time and refuses the others as concurrent: wait and repeat,
        bounded."""
        for attempt in range(1, ATTEMPTS + 1):
            self.budget.spend()
            try:
                return call()
            except ClientError as error:
                if clients.code(error) not in _COLLISIONS or attempt == ATTEMPTS:
                    fail(error, conflicts=frozenset())
            self.budget.back_off(attempt)
        raise AssertionError("the last attempt returns or raises")


def _values(tags: Any) -> dict[str, str]:
    """A resource carries one value a key (Lake Formation developer guide, "lf-tag-considerations")."""
    return {tag["TagKey"]: tag["TagValues"][0] for tag in tags or () if tag.get("TagValues")}


def _failure(failure: Any) -> str:
    tag, error = failure.get("LFTag") or {}, failure.get("Error") or {}
    value = ",".join(tag.get("TagValues") or ())
    return f"{tag.get('TagKey')}={value}: {error.get('ErrorCode')}: {error.get('ErrorMessage')}"


def _slices(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
