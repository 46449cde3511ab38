"""docs/sync.md, held to the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import botocore.session

import sync_handlers
from sync_handlers import canonical, hints, planner

PAGE = (Path(__file__).parents[2] / "docs" / "sync.md").read_text(encoding="utf-8")
PACKAGE = Path(sync_handlers.__file__).parent
SERVICES = ("glue", "lakeformation", "ram", "s3", "kms", "sts", "sqs", "lambda", "dynamodb", "sns")


def called() -> set[str]:
    """Operations that the access modules call, by their API names."""
    session = botocore.session.get_session()
    names = {
        botocore.xform_name(name): name
        for service in SERVICES
        for name in session.get_service_model(service).operation_names
    }
    sources = [(PACKAGE / f"{name}.py").read_text(encoding="utf-8") for name in ("clients", *access_modules())]
    found = {method for source in sources for method in re.findall(r"\.(\w+)\b", source)}
    return {names[method] for method in found if method in names}


def access_modules() -> list[str]:
    return sorted(path.stem for path in PACKAGE.glob("*_access.py"))


def test_every_operation_that_a_handler_calls_is_in_the_table_of_permissions() -> None:
    operations = called()
    assert {"CreateTable", "AssumeRole", "AddLFTagsToResource", "PutKeyPolicy", "GetResourceShares"} <= operations
    table = PAGE[PAGE.index("## What each role may do") :].replace(
        "Get-, Put-, DeleteBucketPolicy", "GetBucketPolicy, PutBucketPolicy, DeleteBucketPolicy"
    )
    missing = sorted(operation for operation in operations if not re.search(rf"\b{operation}\b", table))
    assert missing == []


def test_tables_are_deleted_one_by_one_in_one_place_and_databases_never() -> None:
    found = {name for name in called() if re.match(r"(Batch)?Delete(Table|Database)", name)}
    assert found == {"DeleteTable"}
    users = [path.stem for path in PACKAGE.glob("*.py") if ".delete_table(" in path.read_text(encoding="utf-8")]
    assert sorted(users) == ["glue_access", "reconcile"]


def test_the_marks_on_a_copy_are_listed() -> None:
    marks = [
        value for name, value in vars(planner).items() if isinstance(value, str) and value.startswith(canonical.MARK)
    ]
    assert len(marks) == 6
    for mark in marks:
        assert f"`{mark}`" in PAGE


def test_reasons_and_metrics_are_listed() -> None:
    following = PAGE[PAGE.index("## How `sync` follows") : PAGE.index("## What `sync` copies")]
    for drop in hints.Drop:
        assert f"`{drop}`" in following
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py")]
    counted = {name for source in sources for name in re.findall(r"(?:count|gauge)\(\s*\"(\w+)\"", source)}
    assert {"Writes", "CatalogLagSeconds", "GuardTrips"} <= counted
    for name in sorted(counted):
        assert f"`{name}`" in following


def messages() -> str:
    """Every text of the code, with `…` for what is filled in."""
    texts = []
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


def test_every_message_in_the_table_of_failures_is_one_that_the_code_has() -> None:
    known = re.sub(r"\s+", " ", messages())
    failures = PAGE[PAGE.index("## When it fails") : PAGE.index("## What each role may do")]
    rows = re.findall(r"^\| ([^|]+) \|", failures, re.MULTILINE)[1:]
    assert len(rows) > 15
    for row in rows:
        for part in re.split(r"\s*…\s*| / ", row):
            words = part.strip(" ;").replace("after 3 passes", "after")
            assert words in known, words
