"""`lakemesh diff` and `lakemesh explain` on a repository with the sample mesh in it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from lakemesh.access.causes import Cause
from lakemesh.access.diff import AccessDiff, Administrators, ColumnChange, Difference
from lakemesh.access.holders import Holder, Kind
from lakemesh.cli.diff import diff
from lakemesh.cli.explain import explain
from lakemesh.workflows.access_diff import ROWS, as_markdown, as_text
from lakemesh.workflows.markdown import LIMIT
from tests.workflows.conftest import Checkout

CONTROLLER = "sensitivity: [public, internal, confidential]"


@pytest.fixture
def commands() -> typer.Typer:
    app = typer.Typer()
    app.command()(diff)
    app.command()(explain)
    return app


@pytest.fixture
def run(commands: typer.Typer, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(checkout.root)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(commands, arguments)

    return call


def widen(checkout: Checkout) -> None:
    checkout.replace("mesh/grants/ar.yaml", CONTROLLER, CONTROLLER.replace("]", ", restricted]"))


# -------------------------------------------------------------------------------------------------------------- diff
def test_nothing_differs_from_what_is_checked_out(run) -> None:
    result = run("diff", "--exit-code")
    assert result.exit_code == 0
    assert result.stdout == "Against HEAD: Nobody gains or loses access.\n"


def test_an_edit_that_is_not_committed_counts(run, checkout: Checkout) -> None:
    widen(checkout)
    result = run("diff")
    assert result.exit_code == 0
    assert result.stdout == (
        "Against HEAD: 1 principal gains access, up to restricted; 0 principals lose some.\n"
        "\n"
        "finance-analytics/controller  arn:aws:iam::444455556666:role/GroupController\n"
        "  + reads ar_curated.invoice (ar_invoice)  restricted: direct_debit_iban  [ar-invoice-confidential-controller]\n"
        "\n"
        "What changed\n"
        "  grant ar/ar-invoice-confidential-controller: sensitivity: [public, internal, confidential] -> "
        "sensitivity: [public, internal, confidential, restricted]\n"
    )


def test_exit_code_is_1_when_access_widens_and_0_when_it_narrows(run, checkout: Checkout) -> None:
    widen(checkout)
    assert run("diff", "--exit-code").exit_code == 1
    checkout.commit()
    checkout.replace("mesh/grants/ar.yaml", "confidential, restricted]", "confidential]")
    result = run("diff", "--exit-code")
    assert result.exit_code == 0
    assert "- no longer reads ar_curated.invoice" in result.stdout


def test_a_revision_by_name(run, checkout: Checkout) -> None:
    widen(checkout)
    checkout.commit()
    assert "direct_debit_iban" in run("diff", "--base", "HEAD~1").stdout
    assert "Nobody" in run("diff", "--base", "main").stdout


def test_json_is_for_scripts(run, checkout: Checkout) -> None:
    widen(checkout)
    document = json.loads(run("diff", "--format", "json").stdout)
    assert (document["base"], document["widens"], document["highest"]) == ("HEAD", True, "restricted")
    (change,) = document["changes"]
    assert change["holder"] == {
        "kind": "principal",
        "name": "finance-analytics/controller",
        "id": "arn:aws:iam::444455556666:role/GroupController",
    }
    assert change["gained"] == [{"name": "direct_debit_iban", "sensitivity": "restricted", "was": None}]


def test_markdown_flags_what_is_sensitive_and_sets_accounts_apart(run, checkout: Checkout) -> None:
    widen(checkout)
    checkout.replace("mesh/grants/ar.yaml", "sensitivity: [internal]", "sensitivity: [public, internal]")
    checkout.replace(
        "mesh/products/ar/ar_invoice.odcs.yaml", "classification: confidential", "classification: internal"
    )
    shown = run("diff", "--format", "markdown").stdout
    assert shown.startswith("<!-- lakemesh:access -->\n## Who gains or loses access\n")
    assert (
        "| ➕ reads | `finance-analytics/controller` | `ar_curated.invoice` of `ar_invoice` | "
        "⚠️ **restricted**: `direct_debit_iban` | `ar-invoice-confidential-controller` |"
    ) in shown
    before, _, accounts = shown.partition("### Accounts")
    assert "⚠️ **internal (was confidential)**: `customer_email`, `customer_name`" in before
    assert "`finance-analytics`" in accounts
    assert (
        "* column `ar_curated.invoice.customer_name`: `sensitivity=confidential` → `sensitivity=internal`; read by "
        in shown
    )


def test_without_a_mesh_then_everything_is_gained(run, checkout: Checkout) -> None:
    checkout.git("mv", "mesh", "data")
    checkout.commit()
    result = run("diff", "--base", "HEAD~1", "--mesh", "data")
    assert result.exit_code == 0
    assert "There was no data at HEAD~1: everything counts as gained." in result.stderr
    assert "principals gain access" in result.stdout


def test_an_invalid_mesh_then_is_said_and_counts_as_nothing(run, checkout: Checkout) -> None:
    checkout.replace("mesh/grants/ar.yaml", CONTROLLER, "sensitivity: [nonsense]")
    checkout.commit()
    checkout.replace("mesh/grants/ar.yaml", "sensitivity: [nonsense]", CONTROLLER)
    result = run("diff", "--exit-code")
    assert result.exit_code == 1
    assert "The mesh at HEAD is not valid" in result.stderr
    assert "mesh/grants/ar.yaml:" in result.stderr


@pytest.mark.parametrize("command", [("diff",), ("explain", "finance-analytics/analyst", "ar_invoice")])
def test_an_invalid_mesh_is_refused(run, checkout: Checkout, command) -> None:
    checkout.replace("mesh/grants/ar.yaml", CONTROLLER, "sensitivity: [nonsense]")
    result = run(*command)
    assert result.exit_code == 1
    assert "mesh/grants/ar.yaml:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("diff", "--base", "nowhere"), 'git knows no revision "nowhere"'),
        (("diff", "--base", "--output=x"), 'git knows no revision "--output=x"'),
        (("diff", "--mesh", "nothing"), 'There is no directory "nothing"'),
        (("explain", "a/b", "c", "--mesh", "nothing"), 'There is no directory "nothing"'),
        (("explain", "finance-analytics/analyst", "ar_invoice", "--at", "nowhere"), 'git knows no revision "nowhere"'),
        (("explain", "finance-analytics/analyst", "ar_invoice", "--live", "--at", "HEAD"), "leave one of them out"),
        (("explain", "finance-analytics/analist", "ar_invoice"), 'Did you mean "analyst"?'),
        (("explain", "finance-analytics/analyst", "ar_invoices"), 'Did you mean "ar_invoice"?'),
        (("explain", "finance-analytics/analyst", "ar_invoice", "amount"), 'Did you mean "open_amount"?'),
        (("explain", "finance-analytics/\x1b[31m", "ar_invoice"), "\\x1b[31m"),
    ],
)
def test_misuse_is_refused_with_the_mend(run, arguments, said) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not result.stdout


# ----------------------------------------------------------------------------------------------------------- explain
def test_columns_with_one_answer_share_a_paragraph(run) -> None:
    shown = run("explain", "finance-analytics/analyst", "ar_invoice").stdout
    assert "can read ar_curated.invoice\n  internal: invoice_number, customer_number," in shown
    assert "(mesh/grants/ar.yaml:18)" in shown
    assert "cannot read ar_curated.invoice\n  unreviewed: dunning_note\n  missing first: nobody has reviewed" in shown


def test_one_column_and_as_json(run) -> None:
    result = run(
        "explain", "arn:aws:iam::444455556666:role/FinanceAnalyst", "invoice", "open_amount", "--format", "json"
    )
    document = json.loads(result.stdout)
    assert (document["principal"], document["at"]) == ("finance-analytics/analyst", None)
    (column,) = document["columns"]
    assert (column["table"], column["column"], column["verdict"]) == ("ar_curated.invoice", "open_amount", "read")
    assert column["chain"][1]["place"] == {"file": "mesh/grants/ar.yaml", "line": 18, "column": 5}


def test_an_earlier_revision_is_asked_about_its_own_day(run, checkout: Checkout, monkeypatch) -> None:
    """Who could read this column on that day: a grant that has expired since counted then."""
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, "2025-08-01T12:00:00Z")
    checkout.replace("mesh/grants/ar.yaml", "expires: 2035-12-31", "expires: 2025-09-01")
    checkout.replace("mesh/grants/ar.yaml", "approvedAt: 2025-09-21", "approvedAt: 2025-07-21")
    for file in (checkout.mesh / "grants").glob("*.yaml"):
        file.write_text(re.sub(r"approvedAt: 2025-(08|09|1\d)", "approvedAt: 2025-07", file.read_text()))
    then = checkout.commit()
    question = ("explain", "finance-analytics/controller", "invoice", "customer_name")
    result = run(*question, "--at", then)
    assert "can read ar_curated.invoice" in result.stdout, result.output
    assert f"at {then}, on 2025-08-01" in result.stdout
    now = run(*question).stdout
    assert "cannot read" in now
    assert 'grant "ar-invoice-confidential-controller" would let' in now
    assert "expired on 2025-09-01" in now


# ----------------------------------------------------------------------------------------------------- hostile names
HOSTILE = "`</td>|\n<img src=x>@everyone \x1b[31m\u202e"


def hostile() -> AccessDiff:
    holder = Holder(Kind.PRINCIPAL, HOSTILE, HOSTILE)
    columns = (ColumnChange(HOSTILE, "public", "restricted"),)
    return AccessDiff(
        (
            Difference(
                holder, HOSTILE, HOSTILE, gained=columns, lost=columns, gained_by=(HOSTILE,), lost_with=(HOSTILE,)
            ),
        ),
        (Administrators(HOSTILE, "1", (HOSTILE,), (HOSTILE,)),),
        (Cause("column", HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (HOSTILE,)),),
    )


def test_hostile_names_are_text_in_a_terminal() -> None:
    shown = as_text(hostile(), HOSTILE)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b" in shown


def test_hostile_names_are_text_in_markdown() -> None:
    shown = as_markdown(hostile(), HOSTILE)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    # Without code spans nothing of a name is left: no tag, no mention.
    plain = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", shown)
    assert "<img" not in plain
    assert "@everyone" not in plain
    assert "</td>" not in plain
    rows = [line for line in shown.splitlines() if line.startswith("| ➕")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 6 for row in rows), "a bar in a name makes no cell"


def test_a_long_comment_is_cut_and_says_so() -> None:
    one = Difference(Holder(Kind.PRINCIPAL, "a/b", "arn"), "p", "d.t", gained=(ColumnChange("c" * 200, "public"),))
    many = AccessDiff(tuple(Difference(one.holder, "p", f"d.t{i}", gained=one.gained) for i in range(ROWS + 5)))
    shown = as_markdown(many, "main")
    assert len(shown) <= LIMIT
    assert "* and 5 more: `lakemesh diff --format json` lists all" in shown
    wide = Difference(one.holder, "p", "d.t", gained=tuple(ColumnChange(f"c{i}", "public") for i in range(40)))
    assert "and 28 more" in as_markdown(AccessDiff((wide,)), "main")
    assert "and 28 more" in as_text(AccessDiff((wide,)), "main")
