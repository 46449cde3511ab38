"""People edit grants; the deployment follows, and nothing else changes."""

from __future__ import annotations

from lakemesh.demo.edit import edit_in_place
from lakemesh.demo.outcome import differences
from lakemesh.demo.stage import Stage

TITLE = "A grant is withdrawn, another widened"
AS_DECLARED = "as declared"
AFTER_EDIT = "after the edit"


def run(stage: Stage) -> None:
    """Edit, deploy and prove what `edit` of `expected.yaml` says; a mesh without that section skips it."""
    edit, before = stage.expected.edit, stage.outcome.proofs[AS_DECLARED]
    if edit is None or not before.ok:
        return
    stage.outcome.edits = edit_in_place(stage.mesh, edit)
    stage.screen.edited(stage.outcome.edits)
    stage.deploy()
    after = stage.prove(AFTER_EDIT, stage.expected.after_edit())
    stage.outcome.changes = differences(before, after)
    stage.screen.changed(stage.outcome.changes)
