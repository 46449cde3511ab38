from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from lakemesh.demo import process
from lakemesh.demo.chapters.edit import AS_DECLARED
from lakemesh.demo.expected import Verdict
from lakemesh.demo.outcome import Change, ChapterOutcome, Check, Outcome, Step, differences
from lakemesh.demo.process import LocalAwsError, LocalAwsProcess
from lakemesh.demo.proof import Proof, TableProof
from lakemesh.demo.screen import Terminal, as_json

READ, DISCOVER, DENIED = Verdict.READ, Verdict.DISCOVER, Verdict.DENIED


def table_proof(principal: str, verdicts: dict[str, Verdict], *differences: str) -> TableProof:
    refusals = {column: "COLUMN_NOT_FOUND: line 1:8" for column, verdict in verdicts.items() if verdict is not READ}
    return TableProof(principal, "sales.orders", verdicts, verdicts, refusals, differences)


def shown(proof: Proof, width: int = 80) -> str:
    sink = io.StringIO()
    Terminal(Console(file=sink, width=width)).proved(AS_DECLARED, proof)
    return sink.getvalue()


def test_the_matrix_counts_readable_columns_and_names_the_rest() -> None:
    text = shown(
        Proof(
            (
                table_proof("shop/reader", {"id": READ, "name": DENIED, "price": READ}),
                table_proof("shop/finder", {"id": DISCOVER, "name": DISCOVER, "price": DISCOVER}),
                table_proof("shop/nobody", {"id": DENIED, "name": DENIED, "price": DENIED}),
            ),
            (),
            9,
        )
    )
    row = next(line for line in text.splitlines() if line.strip().startswith("orders"))
    assert re.split(r"  +", row.strip()) == ["orders", "2 of 3", "discover", "denied"]
    assert "shop/reader asks for name of sales.orders" in text
    assert "All 9 verdicts are as expected." in text


def test_a_difference_is_marked_and_told_in_words() -> None:
    said = "shop/reader on sales.orders: name: expected denied, is read"
    text = shown(Proof((table_proof("shop/reader", {"id": READ, "name": READ}, said),), ("central catalog: x",), 3))
    assert "2 of 2 !" in text
    assert said in text
    assert "2 differences from expected.yaml" in text


def test_many_differences_are_counted_and_not_all_shown() -> None:
    text = shown(Proof((), tuple(f"central catalog: t{number} is not there" for number in range(50)), 0))
    assert "50 differences" in text
    assert "and 10 more" in text


def test_the_sample_fits_on_eighty_columns() -> None:
    principals = ["finance-analytics/controller", "finance-analytics/intern", "finance-analytics/analyst"]
    principals += ["treasury/cash-desk", "treasury/payments"]
    verdicts = {f"c{number}": READ if number else DENIED for number in range(12)}
    proofs = [replace(table_proof(who, verdicts), table="ar_raw.bank_statement_import") for who in principals]
    text = shown(Proof(tuple(proofs), (), 5))
    assert "…" not in text
    assert "bank_statement_import" in text
    assert text.count("11 of 12") == 5


def test_what_an_edit_changed_is_the_columns_that_came_and_went() -> None:
    before = Proof(
        (table_proof("a/b", {"id": READ, "name": DENIED}), table_proof("a/c", {"id": READ, "name": DENIED})), (), 2
    )
    after = Proof(
        (table_proof("a/b", {"id": DENIED, "name": READ}), table_proof("a/c", {"id": READ, "name": DENIED})), (), 2
    )
    assert differences(before, after) == (Change("a/b", "sales.orders", ("name",), ("id",)),)


def test_tools_get_every_verdict_with_what_athena_said() -> None:
    proof = Proof((table_proof("a/b", {"id": READ, "name": DENIED}),), (), 4)
    outcome = Outcome("m", "eu-west-3", "arn", [Step("Deploy central", 1.23456, "3 created")], {AS_DECLARED: proof})
    told = as_json(outcome, None)
    assert told["ok"] is True
    assert told["steps"] == [{"title": "Deploy central", "seconds": 1.235, "detail": "3 created"}]
    assert told["proofs"][AS_DECLARED]["tables"][0]["columns"] == {
        "id": {"expected": "read", "actual": "read"},
        "name": {"expected": "denied", "actual": "denied", "refusal": "COLUMN_NOT_FOUND: line 1:8"},
    }


def test_a_demo_that_proved_nothing_is_not_ok() -> None:
    assert not Outcome("m", "eu-west-3", "arn").ok


def test_one_claim_of_a_chapter_that_does_not_hold_fails_the_demo() -> None:
    outcome = Outcome("m", "eu-west-3", "arn", proofs={AS_DECLARED: Proof((), (), 1)})
    assert outcome.ok
    outcome.chapters["sync"] = ChapterOutcome("Sync", ["an event"], [Check("it arrives", False, "it did not")])
    assert not outcome.ok
    assert as_json(outcome, None)["chapters"]["sync"] == {
        "title": "Sync",
        "said": ["an event"],
        "checks": [{"claim": "it arrives", "holds": False, "found": "it did not"}],
    }


def test_a_claim_is_shown_with_what_was_found() -> None:
    sink = io.StringIO()
    terminal = Terminal(Console(file=sink, width=80))
    terminal.chapter("Sync")
    terminal.said("A producer adds [a partition].")
    terminal.checked(Check("the twin has it", True, "12 partitions"))
    terminal.checked(Check("nobody lost access", False, "1 did"))
    assert "A producer adds [a partition]." in sink.getvalue()
    assert "✓ the twin has it  12 partitions" in sink.getvalue()
    assert "✗ nobody lost access  1 did" in sink.getvalue()


def test_a_local_aws_that_does_not_start_tells_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MODULE", "local_aws.no_such_module")
    with pytest.raises(LocalAwsError, match=r"No module named local_aws\.no_such_module"):
        LocalAwsProcess().start()


def test_nothing_of_a_real_account_reaches_the_local_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "1")
    assert not {name for name in process.environment() if name.startswith(("AWS_", "MOTO_"))}
