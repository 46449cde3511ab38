"""The examples of ci.md, disaster-recovery.md, upgrading.md and cost.md do what they say."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakemesh.declarations.models import Declarations
from lakemesh.deploy.import_file import IDS, REMADE
from lakemesh.deploy.parts import parts
from tests.conftest import ROOT
from tests.workflows.conftest import ENVIRONMENTS, Checkout, StandIns
from tests.workflows.test_import import recorded

DOCS = ROOT / "docs"


def blocks(page: str, language: str) -> list[str]:
    """Code blocks of a page in one language, without the indentation of the list they may stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", (DOCS / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def shell(script: str, where: Path, **environment: str) -> str:
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=where, env={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", **environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


# ------------------------------------------------------------------------------------------------------------ ci.md
def path_with_lakemesh() -> str:
    return f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"


def test_ci_commands_run_as_written(checkout: Checkout) -> None:
    checkout.replace("mesh/mesh.yaml", "acme/mesh", "acme/data-mesh")
    settings, affected = blocks("ci.md", "sh")
    said = shell(settings, checkout.root, PATH=path_with_lakemesh(), HOME=str(checkout.root))
    assert "role=arn:aws:iam::" in said
    said = shell(affected, checkout.root, PATH=path_with_lakemesh(), HOME=str(checkout.root))
    assert said == "Nothing that a stack is made of differs from HEAD.\n", "who deploys is no part of a stack"


def test_ci_shows_a_deployment_and_people_that_mesh_yaml_takes(checkout: Checkout) -> None:
    deployment, people = blocks("ci.md", "yaml")
    assert f"environments: [{', '.join(ENVIRONMENTS)}]" in deployment

    def replace(mesh: dict) -> None:
        mesh.pop("deployment")
        mesh.pop("people", None)

    checkout.edit("mesh/mesh.yaml", replace)
    with (checkout.mesh / "mesh.yaml").open("a") as file:
        file.write(f"{deployment}\n{people}")
    said = shell("lakemesh validate", checkout.root, PATH=path_with_lakemesh(), HOME=str(checkout.root))
    assert "is valid" in said


def test_ci_names_the_pinned_versions() -> None:
    text = (DOCS / "ci.md").read_text()
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action, version in re.findall(r"uses: ([\w-]+/[\w-]+)@[0-9a-f]{40} # (v[\d.]+)", path.read_text()):
            assert f"https://github.com/{action} refs/tags/{version}" in text


# -------------------------------------------------------------------------------------------- disaster-recovery.md
def test_every_type_that_is_made_once_more_is_explained() -> None:
    text = (DOCS / "disaster-recovery.md").read_text()
    assert {kind for kind in REMADE if f"| `{kind}` |" in text} == set(REMADE)


def test_import_commands_of_the_page_run_as_written(checkout: Checkout) -> None:
    from lakemesh.cli.main import app

    if "import" not in {command.name for command in app.registered_commands}:
        pytest.skip("lakemesh import is not registered in lakemesh/cli/main.py yet")
    for script in blocks("disaster-recovery.md", "sh"):
        # The program is the repository's, the mesh is the sample.
        shell(
            f"{script.strip()} --mesh {ROOT / 'mesh'}",
            checkout.root,
            PATH=path_with_lakemesh(),
            HOME=str(checkout.root),
        )
    assert (checkout.root / "import-domain-ar.json").exists()
    assert (checkout.root / "import-central.json").exists()


def test_functions_are_run_by_hand_with_the_input_of_the_stacks_state(checkout: Checkout, stand_ins: StandIns) -> None:
    script = next(block for block in blocks("disaster-recovery.md", "") if "aws lambda invoke" in block)
    if shutil.which("jq") is None:
        pytest.skip("there is no jq on this machine: install it to run the page's loop")
    given = '{"action":"tag","product":"p","tables":{"t.x":"it\'s"}}'
    state = {
        "deployment": {
            "resources": [{"type": "aws:lambda/invocation:Invocation", "inputs": {"functionName": "f", "input": given}}]
        }
    }
    stand_ins.add("pulumi", [{"out": json.dumps(state)}])
    stand_ins.add("aws")
    shell(script.replace("<d>", "ar"), checkout.root, PATH=f"{stand_ins.folder}:{path_with_lakemesh()}")
    (call,) = stand_ins.calls("aws")
    assert call["arguments"][call["arguments"].index("--payload") + 1] == given


# -------------------------------------------------------------------------------------------------- upgrading.md
@pytest.mark.parametrize("shared_history", [True, False])
def test_an_upgrade_keeps_the_mesh_and_takes_the_rest(tmp_path: Path, shared_history: bool) -> None:
    upstream, mine = tmp_path / "upstream", tmp_path / "mine"
    identity = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"} | {
        f"GIT_{who}_{what}": "test@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    template = (
        "git init -q -b main . && mkdir -p mesh/grants components && echo one > components/domain.py && "
        "echo sample > mesh/mesh.yaml && echo sample > mesh/grants/ar.yaml && echo s > Pulumi.domain-ar.yaml && "
        "echo p > Pulumi.yaml && git add -A && git commit -qm v1 && git tag v1.0.0"
    )
    upstream.mkdir()
    shell(template, upstream, **identity)
    if shared_history:
        shell(f"git clone -q {upstream} {mine} && git -C {mine} remote remove origin", tmp_path, **identity)
    else:
        shell(f"cp -r {upstream} {mine} && rm -rf {mine}/.git && cd {mine} && git init -q -b main && git add -A && git commit -qm Begin", tmp_path, **identity)  # fmt: skip
    # We drop the sample, have a mesh of our own, and a stack of our own; upstream changes its sample and its code.
    shell("git rm -q mesh/grants/ar.yaml Pulumi.domain-ar.yaml && echo mine > mesh/mesh.yaml && echo m > Pulumi.domain-hr.yaml && git add -A && git commit -qm Mine", mine, **identity)  # fmt: skip
    shell("echo two > components/domain.py && echo p2 > Pulumi.yaml && echo new > mesh/mesh.yaml && echo new > mesh/grants/ar.yaml && echo new > mesh/grants/ap.yaml && echo s2 > Pulumi.domain-ar.yaml && git add -A && git commit -qm v2 && git tag v2.0.0", upstream, **identity)  # fmt: skip
    add, began, merge, commit = blocks("upgrading.md", "sh")
    given = {**identity, "UPSTREAM": str(upstream), "BEGAN_AS": "v1.0.0", "VERSION": "v2.0.0"}
    shell(add, mine, **given)
    if not shared_history:
        shell(began, mine, **given)
    shell(merge, mine, **given)
    shell(commit, mine, **given)
    files = set(shell("git ls-files", mine, **identity).split())
    assert files == {"components/domain.py", "mesh/mesh.yaml", "Pulumi.yaml", "Pulumi.domain-hr.yaml"}
    assert (mine / "components" / "domain.py").read_text() == "two\n"
    assert (mine / "Pulumi.yaml").read_text() == "p2\n"
    assert (mine / "mesh" / "mesh.yaml").read_text() == "mine\n"
    assert shell("git status --short", mine, **identity) == ""


# ----------------------------------------------------------------------------------------------------- cost.md
def test_the_models_figures_are_what_it_computes() -> None:
    model, example = blocks("cost.md", "python")
    (printed,) = blocks("cost.md", "text")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(f"{model}\n{example}", "cost.md", "exec"), {})  # noqa: S102 - the page's own code
    assert out.getvalue() == printed


def test_every_type_of_the_program_has_its_cost_explained(sample: Declarations) -> None:
    text = (DOCS / "cost.md").read_text()
    types = {
        each.type
        for part in parts(sample)
        for each in recorded(sample, part.stack)
        if each.custom and not each.type.startswith("pulumi:providers:")
    }
    assert types <= IDS.keys() | REMADE.keys() | {"aws:kms/key:Key", "aws:lambda/eventSourceMapping:EventSourceMapping"}
    for type_ in types:
        assert re.search(rf"`(\w+\.)?{type_.rpartition(':')[2]}`", text), type_


def test_no_page_invents_a_price() -> None:
    assert not re.search(r"[$€£]\s?\d|\d\s?(USD|EUR)", (DOCS / "cost.md").read_text())
