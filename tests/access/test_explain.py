"""Can or cannot, why, and what is missing first: the verdict is the evaluator's, and following the remedies ends in access."""

from __future__ import annotations

import datetime as dt
from itertools import product as pairs
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lakemesh.access.check import problems, read_mesh
from lakemesh.access.declared import declared_state
from lakemesh.access.evaluate import table_access
from lakemesh.access.explain import ColumnAnswer, Verdict, explain
from lakemesh.access.holders import Access
from lakemesh.access.missing import Missing, Remedy, replaceable
from lakemesh.access.subject import UnknownError, subject, targets
from lakemesh.declarations.models import Access as Kind
from lakemesh.declarations.models import Assignment, Declarations, Principal, Sensitivity, Status
from lakemesh.declarations.places import Places
from tests.access.meshes import CENTRAL, CONSUMERS, ROLES, TODAY, grant, mesh
from tests.access.test_diff import with_columns
from tests.access.test_expand import meshes

MESH = Path(__file__).parents[2] / "mesh"
DAY = dt.date(2026, 11, 1)
DECLARATIONS, PLACES = read_mesh(MESH, DAY)
SAMPLE = Access(DECLARATIONS, DAY)
EXPECTED: dict[str, Any] = yaml.safe_load((MESH / "expected.yaml").read_text())
ACCOUNT = grant("acc", product="orders", to="lab", sensitivity=["public", "internal"])


def ask(who: str, table: str, column: str, access: Access = SAMPLE, places: Places = PLACES) -> ColumnAnswer:
    ((key, _),) = targets(access, table, column)
    return explain(access, places, subject(access, who), key, column)


def line(file: str, number: int) -> str:
    return (MESH.parent / file).read_text().splitlines()[number - 1].strip()


def shown(missing: Missing | None) -> tuple[Remedy, str, str]:
    """The remedy, the file, and the line that it points at."""
    assert missing is not None
    return missing.remedy, missing.place.file, line(missing.place.file, missing.place.line)


# ------------------------------------------------------------------------------------------------------------ sample
@pytest.mark.parametrize("principal", EXPECTED["principals"])
def test_the_sample_is_explained_as_it_was_written_by_hand(principal: str) -> None:
    words = {Verdict.READ: "read", Verdict.DISCOVER: "discover", Verdict.DENIED: "denied"}
    for (twin, name), (_, table) in SAMPLE.tables.items():
        wanted = EXPECTED["principals"][principal][f"{twin}.{name}"]
        for column in table.columns:
            answer = ask(principal, f"{twin}.{name}", column.name)
            expected = (
                wanted if isinstance(wanted, str) else next(v for v, names in wanted.items() if column.name in names)
            )
            assert words[answer.verdict] == expected
            assert (answer.missing is None) == (expected == "read")
            assert bool(answer.chain) == (expected != "denied")


def test_the_account_path_is_told_from_the_contract_to_the_link() -> None:
    answer = ask("finance-analytics/analyst", "ar_curated.invoice", "open_amount")
    said = [step.says for step in answer.chain]
    assert said == [
        "ar_curated.invoice.open_amount is internal and part of product ar_invoice",
        'grant "ar-invoice-finance-analytics": read product ar_invoice, sensitivity [public, internal], to finance-analytics',
        "111122223333 grants SELECT on 111122223333 TABLE expression product IN (ar_invoice) AND sensitivity IN (internal, public) to account 444455556666, with grant option",
        "consumer finance-analytics assigns it to analyst",
        "444455556666 passes the identical expression on to the role",
        "111122223333's share with 444455556666 is in force: the consumer's stack accepts its invitations",
        "the role has DESCRIBE on the database ar_curated of 111122223333",
        "444455556666 has a resource link ar_curated to it, and the role has DESCRIBE on the link",
    ]
    places = [step.place for step in answer.chain if step.place]
    assert [line(place.file, place.line) for place in places] == [
        "classification: internal",
        "- id: ar-invoice-finance-analytics",
        "- grant: ar-invoice-finance-analytics",
    ]


def test_the_direct_path_has_no_account_in_it() -> None:
    said = [step.says for step in ask("finance-analytics/controller", "ar_curated.invoice", "customer_name").chain]
    assert any("straight to the role, without grant option" in each for each in said)
    assert not any("with grant option" in each or "assigns" in each for each in said)


@pytest.mark.parametrize(
    ("who", "table", "column", "remedy", "file", "at"),
    [
        ("finance-analytics/analyst", "ar_curated.invoice", "dunning_note", Remedy.REVIEW, "mesh/products/ar/ar_invoice.odcs.yaml", None),
        ("finance-analytics/analyst", "ar_curated.invoice", "customer_name", Remedy.GRANT, "mesh/grants/ar.yaml", "grants:"),
        ("finance-analytics/controller", "ar_curated.invoice", "direct_debit_iban", Remedy.WIDEN, "mesh/grants/ar.yaml",
         "sensitivity: [public, internal, confidential]"),
        ("finance-analytics/intern", "ar_curated.invoice", "open_amount", Remedy.ASSIGN, "mesh/consumers/finance-analytics.yaml",
         "principals: [analyst]  # the controller has a wider grant of their own"),
    ],
)  # fmt: skip
def test_what_is_missing_first_is_named_with_its_line(who, table, column, remedy, file, at) -> None:
    answer = ask(who, table, column)
    assert answer.verdict is Verdict.DENIED
    found = shown(answer.missing)
    assert found[:2] == (remedy, file)
    assert at is None or found[2] == at


# ------------------------------------------------------------------------------------------------- one thing at a time
def small(*grants: Any, assign: Any = None, change: Any = None) -> Access:
    declarations = mesh({"sales": list(grants)}, {"lab": assign or {}})
    return Access(change(declarations) if change else declarations, TODAY)


def missing(access: Access, column: str = "internal", who: str = "lab/ana", table: str = "sales_raw.orders") -> Missing:
    found = ask(who, table, column, access, Places()).missing
    assert found is not None
    return found


def test_an_unreviewed_column_comes_before_any_grant() -> None:
    assert missing(small(), "new").remedy is Remedy.REVIEW


def test_a_retired_product_comes_before_its_columns() -> None:
    def retire(declarations: Declarations) -> Declarations:
        orders = declarations.products["orders"].model_copy(update={"status": Status.RETIRED})
        return declarations.model_copy(update={"products": {**declarations.products, "orders": orders}})

    assert missing(small(ACCOUNT, assign={"acc": ["ana"]}, change=retire), "new").remedy is Remedy.REVIVE


def test_an_expired_grant_is_to_be_renewed() -> None:
    old = ACCOUNT.model_copy(update={"expires": TODAY})
    found = missing(small(old, assign={"acc": ["ana"]}))
    assert (found.remedy, found.subject) == (Remedy.RENEW, "acc")
    assert f"expired on {TODAY}" in found.says


def test_a_grant_in_force_that_only_needs_assigning_comes_before_an_expired_one() -> None:
    old = grant("old", product="orders", to="lab/ana", sensitivity=["internal"], expires=TODAY)
    found = missing(small(old, ACCOUNT))
    assert (found.remedy, found.yaml) == (Remedy.ASSIGN, "assignments:\n  - grant: acc\n    principals: [ana]")


def test_an_assignment_that_is_there_gets_one_more_name() -> None:
    assert missing(small(ACCOUNT, assign={"acc": ["bob"]})).yaml == "principals: [bob, ana]"


def test_an_account_is_never_told_to_be_granted_confidential_data() -> None:
    found = missing(small(ACCOUNT, assign={"acc": ["ana"]}), "confidential")
    assert (found.remedy, found.subject) == (Remedy.GRANT, "lab/ana")
    assert "confidential data is granted to single principals alone" in found.says
    assert "to: lab/ana" in found.yaml


@pytest.mark.parametrize(
    ("filtered", "column", "yaml"),
    [
        ({"columns": {"orders": ["public"]}}, "internal", "orders: [public, internal]"),
        ({"columns": {"sales_raw.orders": ["public"]}}, "internal", "sales_raw.orders: [public, internal]"),
        ({"exclude": {"orders": ["internal", "public"]}}, "internal", "orders: [public]"),
        ({"exclude": {"orders": ["internal"]}}, "internal", "# take `orders` out of `exclude`"),
    ],
)
def test_a_data_filter_that_leaves_the_column_out_is_to_show_it(filtered: Any, column: str, yaml: str) -> None:
    """And never is a tag grant offered beside it, which validation would refuse."""
    part = grant("part", product="orders", to="lab/ana", sensitivity=["public", "internal"], **filtered)
    found = missing(small(part, ACCOUNT), column)
    assert (found.remedy, found.subject) == (Remedy.SHOW, "part")
    assert found.yaml.startswith(yaml)


def test_a_data_filter_that_lacks_the_sensitivity_is_widened_before_the_column_is_shown() -> None:
    part = grant("part", product="orders", to="lab/ana", sensitivity=["public"], columns={"orders": ["public"]})
    found = missing(small(part))
    assert (found.remedy, found.subject) == (Remedy.WIDEN, "part")


def test_a_grant_to_another_consumer_or_principal_is_of_no_use() -> None:
    others = grant("o", product="orders", to="lab/bob", sensitivity=["internal"])
    desk = grant("p", product="orders", to="desk", sensitivity=["internal"])
    assert missing(small(others, desk)).remedy is Remedy.GRANT


def test_discover_is_told_apart_from_nothing_and_stands_in_the_way_of_read() -> None:
    discover = grant("d", product="orders", to="lab/ana", access="discover")
    answer = ask("lab/ana", "sales_raw.orders", "internal", small(discover), Places())
    assert answer.verdict is Verdict.DISCOVER
    assert any('grant "d": discover product orders' in step.says for step in answer.chain)
    assert answer.missing is not None
    assert answer.missing.remedy is Remedy.REMOVE_DISCOVER
    assert answer.missing.yaml.startswith("access: read\nsensitivity: [internal]")


def test_a_role_that_is_no_principal_is_told_how_to_become_one() -> None:
    role = f"arn:aws:iam::{CONSUMERS['lab']}:role/Stranger"
    found = missing(small(ACCOUNT), who=role)
    assert (found.remedy, found.yaml) == (Remedy.PRINCIPAL, f"principals:\n  Stranger:\n    role: {role}")


@pytest.mark.parametrize("account", [CENTRAL, CONSUMERS["lab"]], ids=["central", "consumer"])
def test_an_administrator_sees_and_does_not_read(account: str) -> None:
    role = f"arn:aws:iam::{account}:role/lakemesh-deploy"
    answer = ask(role, "sales_raw.orders", "internal", small(ACCOUNT, assign={"acc": ["bob"]}), Places())
    assert answer.verdict is Verdict.DISCOVER
    assert "administrators" in answer.chain[0].says
    assert answer.missing is not None
    assert answer.missing.remedy is Remedy.ASK_AS_PRINCIPAL


# ------------------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("labb/ana", 'There is no consumer "labb". Did you mean "lab"?'),
        ("lab/anna", 'Consumer "lab" has no principal "anna". Did you mean "ana"?'),
        ("lab", '"lab" is a whole consumer'),
        ("lab/ANA", 'Did you mean "ana"?'),
        ("arn:nothing", "is no ARN of a role"),
        ("arn:aws:iam::000000000044:role/X", "is a producer's account"),
        ("arn:aws:iam::000000000023:role/X", "which is no consumer's. Did you mean"),
        ("", 'There is no consumer ""'),
    ],
)
def test_an_unknown_principal_is_refused_with_what_was_meant(text: str, said: str) -> None:
    with pytest.raises(UnknownError) as caught:
        subject(small(), text)
    assert said in str(caught.value)


def test_an_arn_and_a_short_name_are_one_principal() -> None:
    assert subject(small(), ROLES["lab"]["bob"]) == subject(small(), "lab/bob")


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("order", None, 'There is no product or table "order" in any contract. Did you mean "orders"?'),
        ("sales_raw.order", None, 'Did you mean "sales_raw.orders"?'),
        ("stock", "intern", 'has no column "intern" in its contract. Did you mean "internal"?'),
    ],
)
def test_an_unknown_table_or_column_is_refused_with_what_was_meant(text, column, said) -> None:
    with pytest.raises(UnknownError) as caught:
        targets(small(), text, column)
    assert said in str(caught.value)


def test_a_product_is_all_its_tables_and_a_table_may_be_named_alone() -> None:
    assert [key for key, _ in targets(small(), "orders")] == [
        ("sales_raw", "orders"),
        ("sales_curated", "orders_daily"),
    ]
    assert targets(small(), "orders_daily", "public") == ((("sales_curated", "orders_daily"), ("public",)),)


def test_a_table_name_that_two_databases_have_is_refused() -> None:
    access = small()
    twice = (
        access.declarations.products["returns"]
        .tables[0]
        .model_copy(update={"name": "orders_daily", "twin": "sales_raw"})
    )
    returns = access.declarations.products["returns"].model_copy(update={"tables": (twice,)})
    products = {**access.declarations.products, "returns": returns}
    with pytest.raises(UnknownError, match=r"several tables: sales_curated\.orders_daily, sales_raw\.orders_daily"):
        targets(Access(access.declarations.model_copy(update={"products": products}), TODAY), "orders_daily")


# -------------------------------------------------------------------------------------------------------------- laws
everywhere = list(pairs(
    [(consumer, alias) for consumer, roles in ROLES.items() for alias in roles],
    [("sales_raw", "orders"), ("sales_curated", "returns"), ("supply_curated", "stock")],
    [*(level.value for level in Sensitivity), "new"],
))  # fmt: skip


@given(meshes(), st.sampled_from(everywhere))
def test_the_verdict_is_the_evaluators_and_has_a_reason(given_, which) -> None:
    (consumer, alias), key, column = which
    declarations = mesh(*given_)
    answer = ask(f"{consumer}/{alias}", ".".join(key), column, Access(declarations, TODAY), Places())
    state = declared_state(declarations, TODAY)
    access = table_access(state, ROLES[consumer][alias], CONSUMERS[consumer], *key)
    assert (answer.verdict is Verdict.READ) == (column in access.selectable)
    assert (answer.verdict is Verdict.DENIED) == (column not in access.visible)
    assert bool(answer.chain) == (answer.verdict is not Verdict.DENIED)
    assert (answer.missing is None) == (answer.verdict is Verdict.READ)


@settings(max_examples=150)
@given(meshes(), st.sampled_from(everywhere))
def test_following_what_is_missing_ends_in_access(given_, which) -> None:
    (consumer, alias), key, column = which
    declarations = mesh(*given_)
    followed: list[Remedy] = []
    for _ in range(20):
        answer = ask(f"{consumer}/{alias}", ".".join(key), column, Access(declarations, TODAY), Places())
        if answer.missing is None:
            break
        followed.append(answer.missing.remedy)
        declarations = follow(declarations, answer, consumer, alias)
    assert answer.verdict is Verdict.READ, followed
    assert [each for each in followed if each is not Remedy.REMOVE_DISCOVER] == sorted(
        (each for each in followed if each is not Remedy.REMOVE_DISCOVER), key=list(Remedy).index
    ), "what is missing first is said first"


def follow(declarations: Declarations, answer: ColumnAnswer, consumer: str, alias: str) -> Declarations:
    """Do what the answer says."""
    missing_ = answer.missing
    assert missing_ is not None
    twin, name = answer.table.split(".")
    product, table = Access(declarations, TODAY).tables[twin, name]
    columns = {each.name: each for each in table.columns}
    level = columns[answer.column].sensitivity
    grants = list(declarations.grants.get(product.domain, ()))
    index = next((i for i, each in enumerate(grants) if each.id == missing_.subject), None)
    match missing_.remedy:
        case Remedy.REVIEW:
            return with_columns(declarations, product.name, **{missing_.subject: Sensitivity.INTERNAL})
        case Remedy.RENEW if index is not None:
            grants[index] = grants[index].model_copy(update={"expires": None})
        case Remedy.WIDEN if index is not None:
            grants[index] = grants[index].model_copy(update={"sensitivity": (*grants[index].sensitivity, level)})
        case Remedy.REMOVE_DISCOVER if index is not None:
            assert level is not None
            if replaceable(grants[index], level):
                grants[index] = grants[index].model_copy(update={"access": Kind.READ, "sensitivity": (level,)})
            else:
                del grants[index]
        case Remedy.GRANT:
            grants.append(grant(f"new-{len(grants)}", product=product.name, to=missing_.subject, sensitivity=[level]))
        case Remedy.ASSIGN:
            who = declarations.consumers[consumer]
            given_ = (*who.assignments, Assignment(grant=missing_.subject, principals=(alias,)))
            changed = who.model_copy(update={"assignments": given_})
            return declarations.model_copy(update={"consumers": {**declarations.consumers, consumer: changed}})
        case other:
            raise AssertionError(other)
    return declarations.model_copy(update={"grants": {**declarations.grants, product.domain: tuple(grants)}})


def test_the_yaml_that_is_offered_is_valid_where_it_is_said_to_go(mesh: Path) -> None:
    """Followed in the files themselves, to the letter."""
    access = Access(DECLARATIONS, DAY)
    answer = ask("finance-analytics/analyst", "ar_curated.invoice", "customer_name", access)
    assert answer.missing is not None
    path = mesh / "grants" / "ar.yaml"
    words = {"purpose": "To see.", "requestedBy": "a@acme.example", "approvedBy": "nadia.berger@acme.example",
             "approvedAt": "2026-03-09", "ticket": "T-1"}  # fmt: skip
    text = answer.missing.yaml
    for key, value in words.items():
        text = text.replace(f"  {key}: …", f"  {key}: {value}")
    assert "…" not in text
    path.write_text(path.read_text() + "\n" + text + "\n")
    declarations, found = problems(mesh, DAY)
    assert not found
    assert declarations is not None
    again = ask("finance-analytics/analyst", "ar_curated.invoice", "customer_name", Access(declarations, DAY))
    assert again.verdict is Verdict.READ


def test_a_file_that_is_there_already_is_only_added_to() -> None:
    assert ask("finance-analytics/intern", "ledger_balance", "debit").missing is not None
    role = "arn:aws:iam::444455556666:role/Auditor"
    found = ask(role, "ar_curated.invoice", "open_amount").missing
    assert found is not None
    assert found.yaml == f"  Auditor:\n    role: {role}"
    assert line(found.place.file, found.place.line) == "principals:"


def test_the_id_that_is_offered_is_free() -> None:
    taken = grant("orders-lab", product="returns", to="lab", sensitivity=["public"])
    assert "- id: orders-lab-2\n" in missing(small(taken)).yaml


def test_a_principal_that_was_added_can_be_granted() -> None:
    role = f"arn:aws:iam::{CONSUMERS['lab']}:role/Stranger"
    access = small(ACCOUNT)
    lab = access.declarations.consumers["lab"]
    named = lab.model_copy(update={"principals": {**lab.principals, "Stranger": Principal(role=role)}})
    consumers = {**access.declarations.consumers, "lab": named}
    after = Access(access.declarations.model_copy(update={"consumers": consumers}), TODAY)
    assert missing(after, who=role).remedy is Remedy.ASSIGN
