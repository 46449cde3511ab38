"""What must hold between the files of a mesh. Each check yields problems; none stops another.

`references` are the checks without which declarations make no sense (what they name does not exist); `rules` are the
ones that say why a mesh that makes sense must still not be deployed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from lakemesh.declarations.draft import Draft
from lakemesh.declarations.errors import Problem, did_you_mean


def references(draft: Draft) -> Iterator[Problem]:
    """Names that refer to nothing, or to two things."""
    for name in sorted(draft.known.grant_files - draft.known.domains):
        file = draft.places.grant_file(name)
        text = f'Domain "{name}" is not in {draft.places.mesh_file}.{did_you_mean(name, draft.known.domains)}'
        yield draft.places.problem("unknown-reference", text, file)


def rules(draft: Draft, today: dt.date | None) -> Iterator[Problem]:
    """Everything else that needs no expansion."""
    for domain, path, grant in draft.all_grants():
        if today is not None and grant.approved_at > today:
            text = f"{grant.approved_at} lies in the future: nobody has approved this yet."
            yield draft.places.problem("grant-dates", text, draft.places.grant_file(domain), *path, "approvedAt")
