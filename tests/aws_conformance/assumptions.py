"""What a check says of itself: the assumption, the page it was read on, and how sure we are.

`@assumption(page="LF lf-tag-considerations", confidence=Confidence.DOCUMENTED)` above a test; the first line of the
test's docstring is the assumption, as a sentence. A page is a guide's short name and the page's name in its address.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MARK = "assumption"
FOLDER = Path(__file__).parent


@unique
class Confidence(StrEnum):
    """How an assumption came about."""

    DOCUMENTED = "documented"
    """AWS's documentation or the service's model says so."""
    INFERRED = "inferred"
    """It follows from what is documented, or others observed it; nobody promises it."""
    OPEN = "open"
    """Nothing says so: the local AWS takes the stricter answer, or refuses by name. lakemesh holds either way."""


_AWS = "https://docs.aws.amazon.com"
GUIDES = {
    "LF": ("Lake Formation developer guide", _AWS + "/lake-formation/latest/dg/{}.html"),
    "LF-API": ("Lake Formation API reference", _AWS + "/lake-formation/latest/APIReference/{}.html"),
    "BP": ("Lake Formation best practices guide", "https://aws.github.io/aws-lakeformation-best-practices/{}/"),
    "GLUE": ("Glue developer guide", _AWS + "/glue/latest/dg/{}.html"),
    "GLUE-API": ("Glue API reference", _AWS + "/glue/latest/webapi/{}.html"),
    "ATH": ("Athena user guide", _AWS + "/athena/latest/ug/{}.html"),
    "RAM": ("RAM user guide", _AWS + "/ram/latest/userguide/{}.html"),
    "IAM": ("IAM user guide", _AWS + "/IAM/latest/UserGuide/{}.html"),
    "STS": ("STS API reference", _AWS + "/STS/latest/APIReference/{}.html"),
    "KMS": ("KMS developer guide", _AWS + "/kms/latest/developerguide/{}.html"),
    "S3": ("S3 user guide", _AWS + "/AmazonS3/latest/userguide/{}.html"),
    "IAM-SAR": ("Service authorization reference", _AWS + "/service-authorization/latest/reference/{}.html"),
    "DDB": ("DynamoDB developer guide", _AWS + "/amazondynamodb/latest/developerguide/{}.html"),
    "SNS": ("SNS developer guide", _AWS + "/sns/latest/dg/{}.html"),
    "SNS-API": ("SNS API reference", _AWS + "/sns/latest/api/{}.html"),
    "CW": ("CloudWatch user guide", _AWS + "/AmazonCloudWatch/latest/monitoring/{}.html"),
    "CW-API": ("CloudWatch API reference", _AWS + "/AmazonCloudWatch/latest/APIReference/{}.html"),
    "LAMBDA": ("Lambda developer guide", _AWS + "/lambda/latest/dg/{}.html"),
}


def url(page: str) -> str:
    """Where a page is. Raises ValueError for a guide that is not in `GUIDES`."""
    guide, _, name = page.partition(" ")
    if guide not in GUIDES or not name:
        raise ValueError(f'page "{page}" is not "<guide> <page>", with a guide of {", ".join(GUIDES)}')
    return GUIDES[guide][1].format(name)


def assumption(page: str, confidence: Confidence) -> pytest.MarkDecorator:
    """Marks a test as the check of one assumption. Raises ValueError where the page has no address."""
    url(page)
    return pytest.mark.assumption(page=page, confidence=Confidence(confidence))


@dataclass(frozen=True)
class Assumption:
    """One check, as it is told to people."""

    service: str
    """The module's subject: `test_lake_formation_tags` is "lake formation tags"."""
    check: str
    """The test's name."""
    text: str
    """The first line of its docstring."""
    page: str
    confidence: Confidence
    rest: str
    """The docstring's other lines: of an open question, why lakemesh holds either way."""

    @classmethod
    def of(cls, test: Callable[..., Any], mark: pytest.Mark) -> Assumption:
        text, _, rest = (inspect.getdoc(test) or "").partition("\n")
        service = test.__module__.rpartition(".")[2].removeprefix("test_").replace("_", " ")
        return cls(
            service, test.__name__, text.strip(), mark.kwargs["page"], mark.kwargs["confidence"],
            " ".join(rest.split()),
        )  # fmt: skip


def mark_of(test: Callable[..., Any]) -> pytest.Mark | None:
    marks: list[pytest.Mark] = getattr(test, "pytestmark", [])
    return next((mark for mark in marks if mark.name == MARK), None)


def modules() -> Iterator[ModuleType]:
    """The modules of checks, by name; open questions come first, as they are what one wants to know."""
    for path in sorted(FOLDER.glob("test_*.py"), key=lambda path: (path.stem != "test_open_questions", path.stem)):
        if path.stem != "test_plumbing":
            yield importlib.import_module(f"tests.aws_conformance.{path.stem}")


def tests_of(module: ModuleType) -> Iterator[Callable[..., Any]]:
    yield from (value for name, value in vars(module).items() if name.startswith("test_") and callable(value))


def every() -> list[Assumption]:
    """Every check of this folder, in the order of its modules."""
    found = ((test, mark_of(test)) for module in modules() for test in tests_of(module))
    return [Assumption.of(test, mark) for test, mark in found if mark is not None]
