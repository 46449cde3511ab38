"""What grants expand to, by example and for any mesh."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemesh.access.expand import Entry, Expansion, UnsafeGrantError, expand
from lakemesh.access.state import DatabaseResource, Resource, TableResource, TagPolicyResource, expression
from tests.access.meshes import CENTRAL, CONSUMERS, PRODUCTS, ROLES, TODAY, grant, mesh

LAB, DESK = CONSUMERS["lab"], CONSUMERS["desk"]
ANA, BOB = ROLES["lab"]["ana"], ROLES["lab"]["bob"]


def lines(entries: tuple[Entry, ...]) -> set[tuple[str, Resource, tuple[str, ...], tuple[str, ...]]]:
    return {(entry.principal, entry.resource, entry.permissions, entry.grantable) for entry in entries}


def policy(**tags: list[str]) -> TagPolicyResource:
    return TagPolicyResource(CENTRAL, "TABLE", expression(tags))


DESCRIBE, SELECT = ("DESCRIBE",), ("SELECT",)


# ------------------------------------------------------------------------------------------------------- by example
def test_the_account_path_grants_to_the_account_and_the_consumer_passes_the_identical_expression_on():
    given_ = grant("g", product="returns", to="lab", sensitivity=["internal", "public"])
    expansion = expand(mesh({"sales": [given_]}, {"lab": {"g": ["ana"]}}), TODAY)
    tags = policy(product=["returns"], sensitivity=["internal", "public"])
    assert lines(expansion.central("sales")) == {
        (LAB, tags, SELECT, SELECT),
        (LAB, DatabaseResource(CENTRAL, "sales_curated"), DESCRIBE, DESCRIBE),
    }
    assert lines(expansion.consumer("lab")) == {
        (ANA, tags, SELECT, ()),
        (ANA, DatabaseResource(CENTRAL, "sales_curated"), DESCRIBE, ()),
        (ANA, DatabaseResource(LAB, "sales_curated"), DESCRIBE, ()),
        (ANA, DatabaseResource(LAB, "default"), DESCRIBE, ()),
    }
    assert expansion.databases("lab") == ("sales_curated",)
    assert expansion.consumer("desk") == expansion.central("supply") == expansion.databases("desk") == ()


def test_the_direct_path_grants_to_the_role_alone_and_without_grant_option():
    given_ = grant("g", product="returns", to="lab/bob", sensitivity=["confidential"])
    expansion = expand(mesh({"sales": [given_]}), TODAY)
    assert lines(expansion.central("sales")) == {
        (BOB, policy(product=["returns"], sensitivity=["confidential"]), SELECT, ()),
        (LAB, DatabaseResource(CENTRAL, "sales_curated"), DESCRIBE, DESCRIBE),
    }
    assert lines(expansion.consumer("lab")) == {
        (BOB, DatabaseResource(CENTRAL, "sales_curated"), DESCRIBE, ()),
        (BOB, DatabaseResource(LAB, "sales_curated"), DESCRIBE, ()),
        (BOB, DatabaseResource(LAB, "default"), DESCRIBE, ()),
    }


def test_discover_is_describe_on_each_table_by_name():
    given_ = grant("g", product="orders", to="lab", access="discover")
    expansion = expand(mesh({"sales": [given_]}, {"lab": {"g": ["ana"]}}), TODAY)
    tables = [TableResource(CENTRAL, "sales_raw", "orders"), TableResource(CENTRAL, "sales_curated", "orders_daily")]
    assert {(LAB, table, DESCRIBE, DESCRIBE) for table in tables} < lines(expansion.central("sales"))
    assert {(ANA, table, DESCRIBE, ()) for table in tables} < lines(expansion.consumer("lab"))
    assert expansion.databases("lab") == ("sales_curated", "sales_raw")


def test_a_grant_by_tags_names_its_domain_and_links_the_twins_that_match():
    given_ = grant("g", tags={"layer": ["curated"]}, to="lab", sensitivity=["public"])
    expansion = expand(mesh({"supply": [given_]}, {"lab": {"g": ["ana", "bob"]}}), TODAY)
    tags = policy(domain=["supply"], layer=["curated"], sensitivity=["public"])
    assert (LAB, tags, SELECT, SELECT) in lines(expansion.central("supply"))
    assert expansion.databases("lab") == ("supply_curated",)


def test_a_grant_on_a_whole_domain_is_a_grant_by_no_further_tag():
    expansion = expand(mesh({"sales": [grant("g", tags={}, to="lab/ana", sensitivity=["public"])]}), TODAY)
    assert (ANA, policy(domain=["sales"], sensitivity=["public"]), SELECT, ()) in lines(expansion.central("sales"))
    assert expansion.databases("lab") == ("sales_curated", "sales_raw")


def test_an_expired_grant_and_its_assignments_are_left_out():
    last_day = grant("g", product="returns", to="lab", sensitivity=["public"], expires=TODAY)
    declared = mesh({"sales": [last_day]}, {"lab": {"g": ["ana"]}})
    assert expand(declared, TODAY).central("sales") == expand(declared, TODAY).consumer("lab") == ()
    assert expand(declared, TODAY - dt.timedelta(days=1)).consumer("lab")


def test_an_unassigned_grant_reaches_nobody_in_the_account():
    expansion = expand(mesh({"sales": [grant("g", product="returns", to="lab", sensitivity=["public"])]}), TODAY)
    assert expansion.central("sales")
    assert expansion.consumer("lab") == expansion.databases("lab") == ()


def test_two_grants_that_ask_for_one_entry_share_it():
    given_ = [
        grant("a", product="returns", to="lab", sensitivity=["public"]),
        grant("b", product="orders", to="lab", sensitivity=["public"]),
    ]
    entries = expand(mesh({"sales": given_}), TODAY).central("sales")
    (database,) = [e for e in entries if e.resource == DatabaseResource(CENTRAL, "sales_curated")]
    assert database.grants == ("a", "b")


def test_renaming_a_grant_renames_no_entry():
    before, after = (
        expand(mesh({"sales": [grant(id_, product="returns", to="lab", sensitivity=["public"])]}), TODAY).central(
            "sales"
        )
        for id_ in ("before", "after")
    )
    assert [entry.name for entry in before] == [entry.name for entry in after]


@pytest.mark.parametrize("sensitivity", [[], ["unreviewed"], ["public", "unreviewed"]])
def test_a_read_grant_without_reviewed_sensitivities_is_never_expanded(sensitivity):
    with pytest.raises(UnsafeGrantError, match='"g"'):
        expand(mesh({"sales": [grant("g", product="returns", to="lab", sensitivity=sensitivity)]}), TODAY)


@pytest.mark.parametrize(
    "restriction",
    [
        {"to": "lab", "columns": {"returns": ["public"]}},
        {"to": "lab", "rows": "public = 'a'"},
        {"to": "lab/ana", "rows": "nowhere = 1"},
        {"to": "lab/ana", "rows": "public = 'a'", "sensitivity": ["unreviewed"]},
        {"to": "lab/ana", "rows": "public = 'a'", "access": "discover", "sensitivity": []},
    ],
)
def test_a_restriction_is_never_dropped_in_silence(restriction):
    values = {"product": "returns", "sensitivity": ["public"], **restriction}
    with pytest.raises(UnsafeGrantError, match='"g"'):
        expand(mesh({"sales": [grant("g", **values)]}), TODAY)


# ---------------------------------------------------------------------------------------------------- for any mesh
@st.composite
def meshes(draw):
    """Grants and assignments as validation lets them through."""
    grants: dict[str, list] = {"sales": [], "supply": []}
    assignments: dict[str, dict[str, list[str]]] = {"lab": {}, "desk": {}}
    for number in range(draw(st.integers(0, 7))):
        domain = draw(st.sampled_from(["sales", "supply"]))
        consumer = draw(st.sampled_from(["lab", "desk"]))
        direct = draw(st.booleans())
        to = f"{consumer}/{draw(st.sampled_from(sorted(ROLES[consumer])))}" if direct else consumer
        names = sorted(name for name, (of, _) in PRODUCTS.items() if of == domain)
        values = draw(
            st.sampled_from(
                [{"product": name} for name in names]
                + [{"tags": {}}, {"tags": {"layer": ("curated",)}}, {"tags": {"product": tuple(names)}}]
            )
        )
        if draw(st.booleans()):
            levels = ["public", "internal"] + (["confidential", "restricted"] if direct else [])
            values = {**values, "sensitivity": draw(st.lists(st.sampled_from(levels), min_size=1, unique=True))}
        else:
            values = {**values, "access": "discover"}
        expires = draw(st.sampled_from([None, TODAY, TODAY + dt.timedelta(days=1)]))
        grants[domain].append(grant(f"g{number}", to=to, expires=expires, **values))
        if not direct:
            assignments[consumer][f"g{number}"] = draw(st.lists(st.sampled_from(sorted(ROLES[consumer])), unique=True))
    return grants, assignments


def every_entry(expansion: Expansion) -> list[Entry]:
    stacks = (*expansion.by_domain.values(), *expansion.by_consumer.values())
    return [entry for entries in stacks for entry in entries]


@given(meshes())
def test_every_select_names_sensitivity_and_never_unreviewed(given_):
    for entry in every_entry(expand(mesh(*given_), TODAY)):
        if "SELECT" in entry.permissions:
            assert isinstance(entry.resource, TagPolicyResource)
            values = dict(entry.resource.expression)["sensitivity"]
            assert values
            assert values <= {"public", "internal", "confidential", "restricted"}


@given(meshes())
def test_what_only_the_direct_path_may_carry_never_goes_to_an_account(given_):
    for entry in every_entry(expand(mesh(*given_), TODAY)):
        if isinstance(entry.resource, TagPolicyResource) and entry.principal.isdigit():
            assert dict(entry.resource.expression)["sensitivity"] <= {"public", "internal"}


@given(meshes())
def test_one_entry_a_natural_key_and_one_name_an_entry(given_):
    expansion = expand(mesh(*given_), TODAY)
    for entries in (*expansion.by_domain.values(), *expansion.by_consumer.values()):
        assert len({(entry.principal, entry.resource) for entry in entries}) == len(entries)
        assert len({entry.name for entry in entries}) == len(entries)


@given(meshes())
def test_permissions_are_never_all_and_only_accounts_get_the_grant_option(given_):
    for entry in every_entry(expand(mesh(*given_), TODAY)):
        assert entry.permissions in {DESCRIBE, SELECT}
        assert entry.grantable == (entry.permissions if entry.principal.isdigit() else ())


@given(meshes())
def test_whoever_has_anything_has_describe_on_database_link_and_default(given_):
    expansion = expand(mesh(*given_), TODAY)
    for consumer, account in CONSUMERS.items():
        local = lines(expansion.consumer(consumer))
        for principal in {entry.principal for entry in expansion.consumer(consumer)}:
            assert (principal, DatabaseResource(account, "default"), DESCRIBE, ()) in local
        for principal, resource, *_ in local:
            if isinstance(resource, DatabaseResource) and resource.catalog == CENTRAL:
                assert (principal, DatabaseResource(account, resource.database), DESCRIBE, ()) in local
                assert resource.database in expansion.databases(consumer)


@given(meshes())
def test_what_a_consumer_passes_on_its_account_was_given_with_grant_option(given_):
    """permission-cascading-rules, rule 1: the identical expression."""
    expansion = expand(mesh(*given_), TODAY)
    central = [entry for entries in expansion.by_domain.values() for entry in entries]
    for consumer, account in CONSUMERS.items():
        for entry in expansion.consumer(consumer):
            if entry.resource.catalog == CENTRAL:
                assert any(
                    (c.principal, c.resource) == (account, entry.resource)
                    and set(entry.permissions) <= set(c.grantable)
                    for c in central
                )


@given(meshes(), st.randoms(use_true_random=False))
def test_the_order_of_grants_does_not_matter(given_, random):
    grants, assignments = given_
    shuffled = {domain: random.sample(list_, len(list_)) for domain, list_ in reversed(list(grants.items()))}
    assert expand(mesh(grants, assignments), TODAY) == expand(mesh(shuffled, assignments), TODAY)


@given(meshes())
def test_adding_a_grant_never_removes_an_entry_of_another(given_):
    grants, assignments = given_
    more = {
        "sales": [*grants["sales"], grant("extra", product="orders", to="lab", sensitivity=["public"])],
        "supply": grants["supply"],
    }
    before = expand(mesh(grants, assignments), TODAY)
    after = expand(mesh(more, assignments), TODAY)
    for domain in before.by_domain:
        assert lines(before.central(domain)) <= lines(after.central(domain))
    for consumer in before.by_consumer:
        assert lines(before.consumer(consumer)) == lines(after.consumer(consumer))
