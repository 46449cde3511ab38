"""Problems for people (text), for scripts (JSON) and for code review tools (SARIF 2.1.0)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum, unique
from typing import Any, Final
from urllib.parse import quote

from lakemesh.declarations.errors import Problem

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@unique
class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def as_text(problems: Sequence[Problem]) -> str:
    """Every problem with its place, then how many there are in how many files."""
    files = len({problem.file for problem in problems})
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return "\n".join([*map(str, problems), "", f"Found {count} in {files} file{'s' if files != 1 else ''}."])


def as_json(problems: Sequence[Problem], summary: Mapping[str, Any]) -> str:
    """`{"valid", "summary", "problems": [{"file", "line", "column", "path", "message", "rule"}]}`."""
    document = {"valid": not problems, "summary": dict(summary), "problems": [asdict(problem) for problem in problems]}
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_sarif(problems: Sequence[Problem], version: str) -> str:
    """One SARIF run (OASIS, "Static Analysis Results Interchange Format 2.1.0", sections 3.13 to 3.30)."""
    rules = sorted({problem.rule for problem in problems})
    driver = {
        "name": "lakemesh",
        "version": version,
        "rules": [{"id": rule, "name": _pascal(rule), "defaultConfiguration": {"level": "error"}} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, rules.index(problem.rule)) for problem in problems],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _result(problem: Problem, index: int) -> dict[str, Any]:
    said = f"{problem.path}: {problem.message}" if problem.path else problem.message
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(problem.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": problem.line, "startColumn": problem.column},
        }
    }
    if problem.path:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.path}]
    return {
        "ruleId": problem.rule,
        "ruleIndex": index,
        "level": "error",
        "message": {"text": said},
        "locations": [location],
    }


def _pascal(rule: str) -> str:
    return "".join(word.capitalize() for word in rule.split("-"))
