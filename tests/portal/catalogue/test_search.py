from __future__ import annotations

import pytest

from lakemesh.declarations.models import Declarations, Sensitivity, Status
from lakemesh.portal.catalogue.browse import Catalogue, Filters
from lakemesh.portal.catalogue.health import Health
from lakemesh.portal.requests.model import Person

ANYBODY = Person("somebody@acme.example", consumers=frozenset({"treasury"}))
OTHER = Person("other@acme.example", consumers=frozenset({"finance-analytics"}))
STEWARD = Person("steward@acme.example", steward=True)


def names(declarations: Declarations, text: str, person: Person = ANYBODY, **filters: object) -> list[str]:
    found = Catalogue(declarations).find(person, text, Filters(**filters))  # type: ignore[arg-type]
    return [result.product.name for result in found.results]


def changed(declarations: Declarations, product: str, **values: object) -> Declarations:
    products = {**declarations.products, product: declarations.products[product].model_copy(update=values)}
    return declarations.model_copy(update={"products": products})


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("aging", "invoice_aging"),
        ("cash application", "cash_application"),
        ("direct_debit_iban", "ar_invoice"),
        ("directDebitIban", "ar_invoice"),
        ("invioce", "ar_invoice"),  # two letters the wrong way round
        ("ledgr balanse", "ledger_balance"),
        ("nadia.berger", "ar_invoice"),
        ("order-to-cash curated", "invoice_aging"),
        ("VENDÔR páyment", "vendor_payment"),
    ],
)
def test_words_find_products_whatever_the_spelling(sample: Declarations, text: str, first: str) -> None:
    assert first in names(sample, text)[:2]


def test_the_name_of_a_product_counts_more_than_a_word_in_a_description(sample: Declarations) -> None:
    assert names(sample, "vendor payment")[0] == "vendor_payment"


@pytest.mark.parametrize("text", ["zzzzqqqq", "xq", "invoice zzzzqqqq"])
def test_words_that_nothing_is_near_find_nothing(sample: Declarations, text: str) -> None:
    assert names(sample, text) == []


def test_what_was_searched_for_instead_is_said(sample: Declarations) -> None:
    found = Catalogue(sample).find(ANYBODY, "invioce number")
    assert found.instead == (("invioce", ("invoice",)),)
    assert Catalogue(sample).find(ANYBODY, "invoice zzzzqqqq").instead == (("zzzzqqqq", ()),)


@pytest.mark.parametrize(
    "text", ['"', "'", "a OR b", "NEAR(", "invoice*", "product:ar_invoice", "-invoice", "^invoice", "(", "\x00", "…"]
)
def test_nothing_that_is_typed_is_syntax(sample: Declarations, text: str) -> None:
    names(sample, text)


def test_a_query_of_ten_thousand_words_is_no_harder_than_one_of_twelve(sample: Declarations) -> None:
    assert names(sample, "invoice " * 10_000) == names(sample, "invoice")


def test_without_words_everything_is_there_but_what_is_retired(sample: Declarations) -> None:
    retired = changed(sample, "vendor", status=Status.RETIRED)
    assert names(sample, " ") == sorted(sample.products)
    assert names(retired, "") == sorted(sample.products.keys() - {"vendor"})
    assert names(retired, "", status=Status.RETIRED) == ["vendor"]


def test_filters_narrow(sample: Declarations) -> None:
    assert names(sample, "", domain="ap") == ["ledger_balance", "vendor", "vendor_payment"]
    assert "invoice_aging" not in names(sample, "", sensitivity=Sensitivity.RESTRICTED)
    assert "ar_invoice" in names(sample, "", sensitivity=Sensitivity.RESTRICTED)


def test_what_is_not_known_is_neither_fresh_nor_stale(sample: Declarations) -> None:
    class Some:
        def of(self, product: str) -> Health:
            return Health(fresh={"vendor": True, "ar_invoice": False}.get(product))

    catalogue = Catalogue(sample, Some())
    found = {
        fresh: [one.product.name for one in catalogue.find(ANYBODY, "", Filters(fresh=fresh)).results]
        for fresh in (True, False)
    }
    assert found == {True: ["vendor"], False: ["ar_invoice"]}


def test_a_product_for_some_consumers_exists_for_nobody_else(sample: Declarations) -> None:
    hidden = changed(sample, "vendor", discoverable_by=("treasury",))
    assert "vendor" in names(hidden, "vendor", ANYBODY)
    assert "vendor" not in names(hidden, "vendor", OTHER)
    assert "vendor" in names(hidden, "vendor", STEWARD)
    assert "vendor" in names(hidden, "", Person("ines.moreau@ACME.example"))  # approver of its domain


def test_a_draft_exists_for_its_own_domain_alone(sample: Declarations) -> None:
    draft = changed(sample, "vendor", status=Status.DRAFT)
    assert "vendor" not in names(draft, "vendor", ANYBODY)
    assert "vendor" in names(draft, "vendor", Person("ines.moreau@acme.example"))


def test_corrections_tell_nothing_of_what_is_hidden(sample: Declarations) -> None:
    hidden = changed(sample, "vendor", discoverable_by=(), description="Blueberries and marmalade.")
    assert Catalogue(hidden).find(STEWARD, "bluebries").instead == (("bluebries", ("blueberries",)),)
    assert Catalogue(hidden).find(ANYBODY, "bluebries").instead == (("bluebries", ()),)
