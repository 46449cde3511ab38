"""What grants promise, said once more and more simply, against expand and evaluate together; and laws of the evaluator."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from lakemesh.access.evaluate import table_access
from lakemesh.access.expand import expand
from lakemesh.access.state import (
    CatalogState,
    ColumnsResource,
    DatabaseResource,
    DatabaseState,
    Permission,
    State,
    TableResource,
    TableState,
    TagPolicyResource,
    expression,
)
from lakemesh.declarations.models import Access, Declarations
from tests.access.meshes import CENTRAL, CONSUMERS, ROLES, TODAY, mesh
from tests.access.test_expand import meshes

TABLES = [(name, table) for name, each in mesh({}).products.items() for table in each.tables]


def deployed(declarations: Declarations) -> State:
    """Every stack deployed, everything synced, tagged and accepted."""
    expansion = expand(declarations, TODAY)

    def permissions(entries):
        return frozenset(
            Permission(e.principal, e.resource, frozenset(e.permissions), frozenset(e.grantable)) for e in entries
        )

    databases: dict[str, DatabaseState] = {}
    for name, table in TABLES:
        domain = declarations.products[name].domain
        state = TableState(
            columns=tuple(column.name for column in table.columns),
            tags={**table.tags, "product": name},
            column_tags={c.name: {"sensitivity": c.sensitivity.value} for c in table.columns if c.sensitivity},
        )
        before = databases.get(table.twin)
        tables = {**(before.tables if before else {}), table.name: state}
        databases[table.twin] = DatabaseState({"domain": domain, "sensitivity": "unreviewed"}, tables)
    central = [entry for entries in expansion.by_domain.values() for entry in entries]
    consumers = {
        account: CatalogState(
            account,
            permissions=permissions(expansion.consumer(name)),
            databases={twin: DatabaseState(link_to=(CENTRAL, twin)) for twin in expansion.databases(name)},
            shares_accepted_from=frozenset({CENTRAL}),
        )
        for name, account in CONSUMERS.items()
    }
    return State({CENTRAL: CatalogState(CENTRAL, permissions=permissions(central), databases=databases), **consumers})


def reaches(grant, domain, product_name, table) -> bool:
    if grant.product is not None:
        return grant.product == product_name
    tags = {**table.tags, "product": product_name}
    return domain and all(tags.get(key) in values for key, values in (grant.tags or {}).items())


@given(meshes())
def test_a_principal_reads_what_its_grants_name_and_nothing_else(given_):
    grants, assignments = given_
    declarations = mesh(grants, assignments)
    state = deployed(declarations)
    for consumer, roles in ROLES.items():
        for (alias, role), (name, table) in product(roles.items(), TABLES):
            mine = [
                grant
                for domain, each in grants.items()
                for grant in each
                if (grant.expires is None or grant.expires > TODAY)
                and grant.consumer == consumer
                and (grant.principal == alias if grant.principal else alias in assignments[consumer].get(grant.id, ()))
                and reaches(grant, domain == declarations.products[name].domain, name, table)
            ]
            levels = {level for grant in mine for level in grant.sensitivity}
            readable = {column.name for column in table.columns if column.sensitivity in levels}
            discovers = any(grant.access is Access.DISCOVER for grant in mine)
            access = table_access(state, role, CONSUMERS[consumer], table.twin, table.name)
            assert access.selectable == readable
            assert access.visible == ({column.name for column in table.columns} if discovers else readable)
            assert "new" not in access.selectable


# ------------------------------------------------------------------------------------------------------------- laws
OWNER, LOCAL = "100000000001", "arn:aws:iam::100000000001:role/Local"
FOREIGN = "arn:aws:iam::200000000002:role/Foreign"
NAMES = ("a", "b", "c", "day")
values = st.sampled_from(["x", "y"])
tag_sets = st.dictionaries(st.sampled_from(["k", "l"]), values)
expressions = st.dictionaries(st.sampled_from(["k", "l"]), st.sets(values, min_size=1), min_size=1).map(expression)
resources = st.one_of(
    st.just(DatabaseResource(OWNER, "d")),
    st.sampled_from(
        [TableResource(OWNER, "d", "t"), TableResource(OWNER, "d", None), TableResource(OWNER, "d", "other")]
    ),
    st.frozensets(st.sampled_from(NAMES)).map(lambda names: ColumnsResource(OWNER, "d", "t", names)),
    st.frozensets(st.sampled_from(NAMES)).map(lambda names: ColumnsResource(OWNER, "d", "t", None, names)),
    st.builds(TagPolicyResource, st.just(OWNER), st.sampled_from(["DATABASE", "TABLE"]), expressions),
)
permission_sets = st.frozensets(st.sampled_from(["SELECT", "DESCRIBE", "DROP", "ALL"]), min_size=1)
permissions = st.builds(
    lambda who, what, names, option: Permission(who, what, names, names if option else frozenset()),
    st.sampled_from([LOCAL, FOREIGN, "200000000002", "IAM_ALLOWED_PRINCIPALS"]), resources, permission_sets, st.booleans(),
)  # fmt: skip
states = st.builds(
    lambda rows, local, tags, table, columns: (rows, local, DatabaseState(tags, {"t": TableState(NAMES[:3], NAMES[3:], table, columns)})),
    st.frozensets(permissions, max_size=6),
    st.frozensets(permissions.filter(lambda row: row.principal == FOREIGN), max_size=4),
    tag_sets, tag_sets, st.dictionaries(st.sampled_from(NAMES), tag_sets),
)  # fmt: skip


def world(rows, local, database, *, accepted: bool = True) -> State:
    return State({
        OWNER: CatalogState(OWNER, permissions=rows, databases={"d": database}),
        "200000000002": CatalogState(
            "200000000002", permissions=local, shares_accepted_from=frozenset({OWNER} if accepted else ())
        ),
    })  # fmt: skip


@given(states, permissions, st.sampled_from([LOCAL, FOREIGN]))
def test_one_more_grant_never_takes_anything_away(given_, extra, principal):
    rows, local, database = given_
    before = table_access(world(rows, local, database), principal, OWNER, "d", "t")
    after = table_access(world(rows | {extra}, local, database), principal, OWNER, "d", "t")
    assert before.selectable <= after.selectable
    assert before.visible <= after.visible
    assert before.described <= after.described


@given(states, st.sampled_from([LOCAL, FOREIGN]))
def test_what_is_read_is_seen_and_partition_keys_go_with_any_column(given_, principal):
    access = table_access(world(*given_), principal, OWNER, "d", "t")
    assert access.selectable <= access.visible <= set(NAMES)
    assert "day" in access.selectable or not access.selectable
    assert access.described or not access.visible
    assert set(access.reasons) == ({"", *NAMES} if access.described or principal == LOCAL else access.reasons.keys())


@given(states)
def test_nothing_crosses_accounts_without_an_accepted_share(given_):
    assert not table_access(world(*given_, accepted=False), FOREIGN, OWNER, "d", "t").described
