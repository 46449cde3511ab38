"""`lakemesh classify columns`: lines in, verdicts out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lakemesh.classification.jsonl import LineError, classify_lines
from lakemesh.cli.classify import app

RUNNER = CliRunner()


def run(*lines: object, options: tuple[str, ...] = ()) -> tuple[int, list[dict[str, object]], str]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    result = RUNNER.invoke(app, ["columns", *options], input=text)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_one_verdict_a_line_in_the_same_order_with_the_published_fields() -> None:
    code, verdicts, _ = run(
        {"table": "a", "column": "amount", "type": "decimal(9,2)"},
        {"table": "a", "column": "email", "comment": "of the buyer", "samples": ["a@post.example"]},
        "",
        {"table": "b", "column": "iban"},
    )
    assert code == 0
    assert [(one["table"], one["column"]) for one in verdicts] == [("a", "amount"), ("a", "email"), ("b", "iban")]
    assert {"table", "column", "kind", "sensitive", "sensitivity", "confidence", "evidence"} <= verdicts[0].keys()
    assert [one["sensitive"] for one in verdicts] == [False, True, True]
    assert verdicts[2]["sensitivity"] == "restricted"


def test_lines_of_one_table_are_judged_together() -> None:
    zip_code = {"column": "zip", "samples": ["10115"]}
    _, verdicts, _ = run(
        {"table": "shops", **zip_code},
        {"table": "people", **zip_code},
        {"table": "people", "column": "first_name", "samples": ["Ann"]},
        {"table": "people", "column": "dob", "samples": ["1970-01-01"]},
    )
    assert [one["sensitive"] for one in verdicts[:2]] == [False, True]


def test_tables_stream_through() -> None:
    def endless() -> Iterator[bytes]:
        number = 0
        while True:
            yield json.dumps({"table": f"t{number // 3}", "column": f"c{number}"}).encode()
            number += 1

    verdicts = classify_lines(endless())
    assert [next(verdicts).column for _ in range(7)] == [f"c{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "it is not JSON"),
        ("[1]", "expected an object with table and column, found a list"),
        ('{"column": "c"}', "it has no table"),
        ("{}", "it has no table and no column"),
        ('{"table": 1, "column": "c"}', "its table must be text, found a number"),
        ('{"table": "t", "column": null}', "its column must be text, found nothing"),
        ('{"table": "t", "column": "c", "samples": {}}', "its samples must be a list, found an object"),
        ('{"table": "t", "column": "c", "type": []}', "its type must be text, found a list"),
        ("[" * 100_000, "nested too deeply"),
        ('{"table": "t", "column": "c", "samples": [' + "1" * 6000 + "]}", "a number too long"),
    ],
)
def test_a_bad_line_is_told_by_its_number_after_the_tables_before_it(line: str, told: str) -> None:
    code, verdicts, error = run({"table": "first", "column": "c"}, {"table": "second", "column": "c"}, line)
    assert code == 1
    assert [one["table"] for one in verdicts] == ["first"]
    assert "standard input, line 3: " in error
    assert told in error


def test_a_line_that_is_too_long_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakemesh.classification.jsonl.MAX_LINE", 100)
    with pytest.raises(LineError, match="line 1: it has more than 100 bytes"):
        list(classify_lines([b'{"table": "t", "column": "' + b"c" * 200 + b'"}']))


def test_fields_nobody_knows_and_tables_apart_are_used_and_told_once() -> None:
    lines = [{"table": table, "column": "c", "label": 1} for table in ("a", "b", "a", "b")]
    code, verdicts, error = run(*lines)
    assert (code, len(verdicts)) == (0, 4)
    assert error.count("are ignored") == 1
    assert error.count("judged apart") == 1


def test_text_is_for_people_and_escapes_what_a_terminal_would_act_on() -> None:
    line = json.dumps({"table": "t", "column": "email\x1b[2J"})
    result = RUNNER.invoke(app, ["columns", "--format", "text"], input=line)
    assert "t.email" in result.stdout
    assert "\x1b" not in result.stdout
    assert "confidential" in result.stdout


def test_company_rules_are_taken_from_a_file(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("sensitivity: {email: restricted}\n")
    _, verdicts, _ = run({"table": "t", "column": "email"}, options=("--rules", str(rules)))
    assert verdicts[0]["sensitivity"] == "restricted"
    rules.write_text("sensitivity: {email: secret}\n")
    code, verdicts, error = run({"table": "t", "column": "email"}, options=("--rules", str(rules)))
    assert (code, verdicts) == (1, [])
    assert "rules.yaml:1:15" in error
    assert run(options=("--rules", str(tmp_path / "none.yaml")))[0] == 2


def test_nothing_in_is_nothing_out() -> None:
    assert run() == (0, [], "")
