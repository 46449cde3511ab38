"""Laws of declarations and evaluator together: more grants never take away, taking back restores, order is nothing."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from lakemesh.access.declared import declared_state
from lakemesh.access.evaluate import table_access
from lakemesh.access.holders import Access
from lakemesh.access.overview import Columns
from lakemesh.access.state import Permission
from tests.access.meshes import TODAY, grant, mesh
from tests.access.test_expand import meshes
from tests.access.test_promise import FOREIGN, LOCAL, OWNER, states, world

one_more = st.fixed_dictionaries(
    {"product": st.sampled_from(["orders", "returns"]), "to": st.sampled_from(["lab", "desk", "lab/ana", "lab/bob"])},
    optional={"sensitivity": st.just(["public", "internal"])},
)


@given(meshes(), one_more)
def test_one_more_line_takes_nothing_away_and_taking_it_back_restores_everything(given_, values) -> None:
    grants, assignments = given_
    access = "read" if "sensitivity" in values else "discover"
    extra = grant("one-more", access=access, **values)
    before = mesh(grants, assignments)
    consumer = values["to"].partition("/")[0]
    more = {**assignments, consumer: {**assignments.get(consumer, {}), "one-more": ["ana"]}}
    wider = mesh({**grants, "sales": [*grants["sales"], extra]}, more)
    had, has = Access(before, TODAY), Access(wider, TODAY)
    for holder in had.holders.values():
        for key, columns in had.of(holder).items():
            now = has.of(holder).get(key, Columns())
            assert columns.selectable <= now.selectable
            assert columns.visible <= now.visible
    again = wider.model_copy(update={"grants": before.grants, "consumers": before.consumers})
    assert declared_state(again, TODAY) == declared_state(before, TODAY)


@given(meshes(), st.randoms(use_true_random=False))
def test_the_order_of_lines_is_nothing(given_, rng: random.Random) -> None:
    grants, assignments = given_
    shuffled = {domain: rng.sample(list(each), len(each)) for domain, each in sorted(grants.items(), reverse=True)}
    others = {
        consumer: {key: rng.sample(list(who), len(who)) for key, who in sorted(each.items(), reverse=True)}
        for consumer, each in assignments.items()
    }
    assert declared_state(mesh(shuffled, others), TODAY) == declared_state(mesh(grants, assignments), TODAY)


@given(states, st.sampled_from([LOCAL, FOREIGN]))
def test_permissions_granted_together_or_one_by_one_are_the_same(given_, principal) -> None:
    rows, local, database = given_
    together = table_access(world(rows, local, database), principal, OWNER, "d", "t")
    apart = table_access(world(one_by_one(rows), one_by_one(local), database), principal, OWNER, "d", "t")
    assert (together.selectable, together.visible) == (apart.selectable, apart.visible)


def one_by_one(rows: frozenset[Permission]) -> frozenset[Permission]:
    return frozenset(
        Permission(row.principal, row.resource, frozenset({name}), row.grantable & {name})
        for row in rows
        for name in row.permissions
    )
