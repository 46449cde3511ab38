"""`pulumi import` itself takes the file: its parser, its parents, its providers, the URNs that it makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lakemesh.declarations.models import Declarations
from lakemesh.deploy.import_file import build
from tests.workflows.cli import needs_pulumi, project_in, pulumi
from tests.workflows.test_import import GIVEN, place, recorded


@needs_pulumi
@pytest.mark.parametrize("stack", ["central", "consumer-treasury"])
def test_pulumi_imports_the_file_under_the_urns_of_the_program(
    sample: Declarations, tmp_path: Path, stack: str
) -> None:
    project = project_in(tmp_path)
    registered = recorded(sample, stack)
    made = build(registered, place(sample, stack), GIVEN)
    (project / "import.json").write_text(json.dumps(made.document))
    pulumi(project, "stack", "init", stack)
    pulumi(
        project,
        "import",
        "--stack",
        stack,
        "--file",
        "import.json",
        "--generate-code=false",
        "--protect=false",
        "--yes",
    )
    state = json.loads(pulumi(project, "stack", "export", "--stack", stack))["deployment"]["resources"]
    found = {each["urn"]: each for each in state if each["type"] != "pulumi:pulumi:Stack"}
    program = {each.urn: each for each in registered}
    assert found.keys() <= program.keys()
    assert {each.urn for each in made.imported} <= found.keys()
    for urn, each in found.items():
        wanted = program[urn]
        assert not each.get("protect")
        assert each.get("provider", "").rpartition("::")[0] == wanted.provider
        if wanted.parent:
            assert each["parent"] == wanted.parent
