"""What must hold between the files of a mesh. Each check yields problems; none stops another.

`references` are the checks without which declarations make no sense (what they name does not exist, or is two things);
`rules` say why a mesh that makes sense must still not be deployed. What needs the expansion of grants is checked by
`lakemesh.access.check`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final

from lakemesh.declarations import (
    checks_consumers,
    checks_exceptions,
    checks_grants,
    checks_mesh,
    checks_products,
    recommendations,
)
from lakemesh.declarations.draft import Draft
from lakemesh.declarations.errors import Problem

Check = Callable[[Draft], Iterator[Problem]]

REFERENCES: Final[tuple[Check, ...]] = (
    checks_mesh.sources_refer_to_producers,
    checks_mesh.sources_have_names_of_their_own,
    checks_mesh.members_are_of_consumers,
    checks_products.folders_are_domains,
    checks_products.tables_have_one_product,
    checks_products.lf_tags_are_declared,
    checks_grants.files_are_of_domains,
    checks_grants.ids_are_unique,
    checks_grants.what_is_granted_exists,
    checks_grants.recipients_exist,
    checks_consumers.every_consumer_has_its_file,
    checks_consumers.assignments_name_what_exists,
    recommendations.files_are_of_domains,
)
MESH_RULES: Final[tuple[Check, ...]] = (
    checks_mesh.every_part_has_its_own_account,
    checks_mesh.administrators_are_of_the_account,
    checks_mesh.people_are_of_the_partition,
    checks_mesh.keys_are_of_the_region,
    checks_mesh.buckets_have_one_producer,
    checks_mesh.prefixes_lie_in_their_producers_buckets,
    checks_mesh.prefixes_do_not_nest,
    checks_mesh.tags_fit_the_quotas,
)
"""Checks that need mesh.yaml to be readable."""
RULES: Final[tuple[Check, ...]] = (
    checks_mesh.tags_are_apart_from_the_built_in,
    checks_products.partition_keys_are_in_order,
    checks_products.partition_keys_are_reviewed_first,
    checks_products.views_are_tagged_as_a_whole,
    checks_products.tags_of_a_resource_fit,
    checks_grants.sensitivity_is_named,
    checks_grants.confidential_goes_to_principals,
    checks_grants.grants_are_approved_by_others,
    checks_grants.life_cycle_allows_it,
    checks_consumers.assignments_stay_within_their_grants,
    checks_consumers.assignments_are_said_once,
    checks_consumers.accounts_agree,
    checks_consumers.principals_are_different_roles,
    checks_consumers.no_administrator_is_a_principal,
    checks_consumers.administrators_fit_the_quota,
    checks_exceptions.exceptions_are_for_stacks_of_the_mesh,
    checks_exceptions.exceptions_about_drift_name_a_kind_of_it,
    checks_exceptions.exceptions_are_approved_by_others,
    checks_exceptions.exceptions_are_said_once,
    checks_exceptions.exceptions_are_no_switches,
    recommendations.rejections_have_a_reason,
)
DATED: Final = (checks_grants.dates_make_sense, checks_grants.partition_keys_do_not_outrank_grants)


def references(draft: Draft) -> Iterator[Problem]:
    """Names that refer to nothing, or to two things."""
    for check in REFERENCES:
        yield from check(draft)


def rules(draft: Draft, today: dt.date | None) -> Iterator[Problem]:
    """Everything else that needs no expansion. Without `today` nothing counts as expired or as approved too early."""
    for check in (*(MESH_RULES if draft.mesh is not None else ()), *RULES):
        yield from check(draft)
    for dated in DATED:
        yield from dated(draft, today)
