from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lakemesh.cli.main import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_misspelt_word_finds_and_says_what_it_searched(mesh: Path) -> None:
    done = run("search", "vendr", "paymnt", "--mesh", str(mesh))
    assert done.exit_code == 0
    assert 'Nothing says "vendr"; shown instead: vendor.' in done.stdout
    assert "vendor_payment" in done.stdout


def test_scripts_get_the_same(mesh: Path) -> None:
    told = json.loads(run("search", "invoice", "--domain", "ar", "--format", "json", "--mesh", str(mesh)).stdout)
    assert {one["domain"] for one in told["products"]} == {"ar"}
    assert told["instead"] == {}


def test_nothing_found_is_said_and_is_exit_code_1(mesh: Path) -> None:
    done = run("search", "zzzzqqqq", "--mesh", str(mesh))
    assert done.exit_code == 1
    assert "nothing near it" in done.stdout


def test_whoever_says_who_they_are_finds_what_they_may(mesh: Path) -> None:
    file = mesh / "products" / "ap" / "vendor.odcs.yaml"
    finders = "customProperties:\n  - {property: discoverableBy, value: treasury}\nservers:\n"
    file.write_text(file.read_text().replace("\nservers:\n", f"\n{finders}", 1))
    assert "vendor  " in run("search", "vendor", "--mesh", str(mesh)).stdout
    assert "vendor  " in run("search", "vendor", "--mesh", str(mesh), "--me", "ruth.okafor@acme.example").stdout
    assert "vendor  " not in run("search", "vendor", "--mesh", str(mesh), "--me", "mara.lindner@acme.example").stdout
    hidden = run("show", "vendor", "--mesh", str(mesh), "--me", "mara.lindner@acme.example")
    assert (hidden.exit_code, 'no product "vendor"' in hidden.stderr) == (1, True)


def test_a_product_is_shown_as_a_principal_finds_it(mesh: Path) -> None:
    done = run("show", "ar_invoice", "--as", "finance-analytics/analyst", "--mesh", str(mesh))
    assert done.exit_code == 0
    assert "invoice_number     internal      can read" in done.stdout
    assert "direct_debit_iban  restricted    cannot read: " in done.stdout
    told = json.loads(run("show", "ar_invoice", "--format", "json", "--mesh", str(mesh)).stdout)
    assert {one["name"] for one in told["readers"]} >= {"finance-analytics/controller"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "ar_invoic"), 1, 'Did you mean "ar_invoice"?'),
        (("show", "ar_invoice", "--as", "finance-analytics/analist"), 2, "analist"),
        (("search", "x", "--mesh", "nowhere"), 2, 'no directory "nowhere"'),
    ],
)
def test_what_is_wrong_is_said(mesh: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(*arguments, *(() if "--mesh" in arguments else ("--mesh", str(mesh))))
    assert (done.exit_code, said in done.stderr) == (code, True)


def test_a_mesh_with_mistakes_is_refused_with_them(mesh: Path) -> None:
    grants = mesh / "grants" / "ar.yaml"
    grants.write_text(grants.read_text().replace("to: treasury\n", "to: tresury\n", 1))
    done = run("search", "--mesh", str(mesh))
    assert (done.exit_code, "tresury" in done.stderr) == (1, True)
