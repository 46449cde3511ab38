from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from lakemesh.portal.requests.model import Status
from tests.portal.web.conftest import GARETH, INES, MARA, NADIA, RUTH, STEWARD, Browser, Served

pytestmark = pytest.mark.usefixtures("empty_log")
As = Callable[[str], Browser]


def ask(who: Browser, product: str = "vendor_payment", **fields: object) -> str:
    """Send a request; its id."""
    page = who.get(f"/products/{product}/request")
    values = {"to": "finance-analytics/analyst", "access": "read", "sensitivity": ["internal"], "purpose": "Spend."}
    answer = who.send(page, "/requests", **values | fields)
    assert answer.url.path.startswith("/requests/REQ-"), answer.text
    return answer.url.path.rpartition("/")[2]


def status(served: Served, name: str) -> Status:
    return served.portal.desk.get(name).status


def test_whoever_is_not_signed_in_is_sent_to_sign_in(served: Served) -> None:
    answer = httpx.get(f"{served.url}/products/vendor")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_misspelt_word_finds_the_product_and_says_what_it_searched(browser: As) -> None:
    page = browser(MARA).get("/?q=vendr+paymnt")
    assert "Shown instead" in page
    assert 'href="/products/vendor_payment"' in page


def test_a_product_page_says_what_one_can_read_why_not_the_rest_and_how_to_query(browser: As) -> None:
    page = browser(MARA).get("/products/ar_invoice?as=finance-analytics/analyst")
    assert page.count("can read</span>") == 8
    assert "cannot read" in page
    assert "FROM &#34;ar_curated&#34;.&#34;invoice&#34;" in page
    assert "finance-analytics/controller: 11 columns" in page


def test_nobody_looks_through_anothers_principal(browser: As) -> None:
    assert "no principal of a consumer of yours" in browser(MARA).get("/products/ar_invoice?as=treasury/payments", 403)


def test_a_request_is_narrowed_approved_and_seen_by_its_requester(served: Served, browser: As) -> None:
    mara, ines = browser(MARA), browser(INES)
    name = ask(mara, sensitivity=["internal", "confidential"], expires="2026-09-30")
    assert name in ines.get("/requests")
    page = ines.get(f"/requests/{name}")
    page = ines.send(page, f"/requests/{name}/narrow", sensitivity=["internal"], expires="2026-06-30").text
    ines.send(page, f"/requests/{name}/approve")
    told = mara.get(f"/requests/{name}")
    assert status(served, name) is Status.APPROVED
    assert "narrowed" in told
    assert "2026-06-30" in told
    assert ">confidential<" not in told.partition("What happened")[0]


def test_a_question_and_its_answer(served: Served, browser: As) -> None:
    mara, ines = browser(MARA), browser(INES)
    name = ask(mara)
    ines.send(ines.get(f"/requests/{name}"), f"/requests/{name}/ask-back", question="For how long?")
    page = mara.get(f"/requests/{name}")
    assert "For how long?" in page
    mara.send(page, f"/requests/{name}/answer", answer="Until June.")
    assert status(served, name) is Status.REQUESTED


def test_restricted_data_needs_two(served: Served, browser: As) -> None:
    mara, ines, gareth = browser(MARA), browser(INES), browser(GARETH)
    name = ask(mara, "vendor_payment", sensitivity=["restricted"])
    ines.send(ines.get(f"/requests/{name}"), f"/requests/{name}/approve")
    assert status(served, name) is Status.REQUESTED
    gareth.send(gareth.get(f"/requests/{name}"), f"/requests/{name}/approve")
    assert status(served, name) is Status.APPROVED


def test_public_data_is_approved_by_rule(served: Served, browser: As) -> None:
    name = ask(browser(RUTH), "vendor", to="treasury/cash-desk", sensitivity=["public"])
    assert status(served, name) is Status.APPROVED


def test_an_approval_of_what_changed_meanwhile_is_refused(served: Served, browser: As) -> None:
    mara, ines, gareth = browser(MARA), browser(INES), browser(GARETH)
    name = ask(mara, sensitivity=["internal", "confidential"])
    stale = gareth.get(f"/requests/{name}")
    ines.send(ines.get(f"/requests/{name}"), f"/requests/{name}/narrow", sensitivity=["internal"], expires="2026-06-30")
    answer = gareth.send(stale, f"/requests/{name}/approve", 422)
    assert "has changed since you looked" in answer.text
    assert status(served, name) is Status.REQUESTED


def test_a_form_sent_twice_makes_one_request(served: Served, browser: As) -> None:
    mara = browser(MARA)
    page = mara.get("/products/vendor_payment/request")
    fields = {"to": "finance-analytics/analyst", "access": "read", "sensitivity": ["internal"], "purpose": "Spend."}
    first, second = (mara.send(page, "/requests", **fields).url.path for _ in range(2))
    assert first == second
    assert len(served.portal.book.every()) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"purpose": ""}, "Say what the data is for"),
        ({"sensitivity": []}, "sensitivity"),
        ({"sensitivity": ["secret"]}, "Input should be"),
        ({"to": "treasury/payments"}, "not one of yours"),
        ({"to": "finance-analytics/nobody"}, "nobody"),
        ({"expires": "2026-03-09"}, "That day is past"),
        ({"expires": "2036-03-09"}, "The longest is 365 days"),
        ({"expires": "tomorrow"}, "valid date"),
        ({"rows": "amount >"}, "amount"),
        ({"rows": "1 = 1; DROP TABLE x"}, "rows"),
        ({"to": "finance-analytics", "sensitivity": ["confidential"]}, "confidential"),
        ({"token": "short"}, "begin again"),
        ({"purpose": "x" * 2001}, "at most 2000"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_said_and_nothing_is_stored(
    served: Served, browser: As, fields: dict[str, object], said: str
) -> None:
    mara = browser(MARA)
    page = mara.get("/products/vendor_payment/request")
    values = {"to": "finance-analytics/analyst", "access": "read", "sensitivity": ["internal"], "purpose": "Spend."}
    code = 403 if fields.get("to") == "treasury/payments" else 422
    assert said in mara.send(page, "/requests", code, **values | fields).text
    assert served.portal.book.every() == {}


def test_what_was_typed_is_still_there_when_it_is_refused(browser: As) -> None:
    mara = browser(MARA)
    page = mara.get("/products/vendor_payment/request")
    answer = mara.send(
        page, "/requests", 422, to="finance-analytics/analyst", purpose='My <b>"words"</b>', rows="nonsense("
    )
    assert "My &lt;b&gt;&#34;words&#34;&lt;/b&gt;" in answer.text
    assert 'value="nonsense("' in answer.text


def test_access_that_is_there_already_is_told_at_once(browser: As) -> None:
    mara = browser(MARA)
    page = mara.get("/products/ar_invoice/request")
    assert "there already" in mara.send(
        page, "/requests", 422, to="finance-analytics/analyst", access="read", sensitivity=["internal"], purpose="x"
    ).text  # fmt: skip


def test_the_same_access_is_not_asked_for_twice(browser: As) -> None:
    mara = browser(MARA)
    name = ask(mara, expires="2026-06-30")
    page = mara.get("/products/vendor_payment/request")
    answer = mara.send(
        page, "/requests", 422, to="finance-analytics/analyst", access="read", sensitivity=["internal"], purpose="Again.",
        expires="2026-06-30",
    )  # fmt: skip
    assert name in answer.text


def test_a_preview_names_the_columns(browser: As) -> None:
    mara = browser(MARA)
    answer = mara.http.post(
        "/preview",
        data={"product": "vendor_payment", "to": "finance-analytics/analyst", "access": "read", "sensitivity": "internal",
              "purpose": "x"},
        headers={"X-CSRF-Token": mara.csrf(), "HX-Request": "true"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert "procurement_curated.vendor_payment.amount" in answer.text
    assert "Decided by 1 of: ines.moreau@acme.example, gareth.pryce@acme.example" in answer.text


def test_a_request_with_columns_and_rows_keeps_both(served: Served, browser: As) -> None:
    name = ask(
        browser(MARA), sensitivity=["public", "internal"], rows="currency = 'EUR'",
        columns=["vendor_payment.amount", "vendor_payment.currency"],
    )  # fmt: skip
    wanted = served.portal.desk.get(name).ask
    assert wanted.columns == {"vendor_payment": ["amount", "currency"]}
    assert wanted.rows == "currency = 'EUR'"


def test_a_steward_exports_the_log_and_nobody_else_does(browser: As) -> None:
    ask(browser(MARA))
    lines = browser(STEWARD).get("/api/v1/log").splitlines()
    assert len(lines) == 1
    browser(NADIA).get("/api/v1/log", 403)


def test_signing_out_ends_the_session(browser: As) -> None:
    mara = browser(MARA)
    assert "Signed out" in mara.send(mara.get("/"), "/sign-out").text
    assert mara.http.get("/", follow_redirects=False).status_code == 303
