"""Pulumi's own engine and this process say the same of one program: every rule, resource, level and word."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from lakemesh.access.check import load_mesh
from lakemesh.check.analyzer import boot
from lakemesh.check.engine import check
from lakemesh.check.finding import Judged
from lakemesh.check.run import Checking
from lakemesh.deploy import choose
from lakemesh.deploy.choice import Choice
from lakemesh.deploy.pulumi import Pulumi
from tests.check.conftest import Project
from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("engine")
NOWHERE = "http://127.0.0.1:9"
"""Previews need no AWS that answers: the provider says what it would make."""


def by_pulumi(checking: Checking, cli: Path, stack: str) -> Judged:
    settings = choose._local(cli, NOWHERE, checking.declarations.mesh.central.account, checking.home / "w", None)
    with ExitStack() as opened:
        analyzer = opened.enter_context(boot(checking.pack()))
        engine = opened.enter_context(Pulumi(settings, checking.mesh, checking.mesh.parent))
        return next(check(engine, analyzer.rules, [stack], checking.profile))


def judge(checking: Checking, stack: str) -> Judged:
    with checking.asked([stack]) as (_, asked):
        return next(asked)


def test_a_bad_program_is_refused_alike(project: Project, cli: Path) -> None:
    checking = project.checking(engine=Choice.INPROCESS)

    expected = judge(checking, "central")
    found = by_pulumi(checking, cli, "central")

    assert set(found.findings) == set(expected.findings)
    assert found == expected
    assert {each.rule for each in found.findings if each.mandatory} >= {
        "grants-never-give-all", "grants-never-go-to-everybody", "one-grant-per-principal-and-resource",
        "exceptions-hold",
    }  # fmt: skip
    assert not found.errors


@pytest.mark.usefixtures("cli")
def test_the_samples_central_stack_is_judged_with_its_manifest_by_both(
    tmp_path: Path, reset: Callable[[], str]
) -> None:
    checking = Checking(ROOT / "mesh", load_mesh(ROOT / "mesh"), endpoint=reset(), home=tmp_path)

    expected = judge(replace(checking, engine=Choice.INPROCESS), "central")
    found = judge(checking, "central")

    assert found == expected
    assert not found.errors
    assert "mesh-is-described" not in {each.rule for each in found.findings}


def test_a_refused_preview_ends_as_a_refusal_of_the_deployment_driver(project: Project, cli: Path) -> None:
    """`lakemesh preview` and `up` pass the pack what `lakemesh check` does."""
    checking = project.checking()
    settings = choose._local(cli, NOWHERE, checking.declarations.mesh.central.account, checking.home / "w", None)
    with Pulumi(settings, checking.mesh, checking.mesh.parent) as engine:
        result = engine.up("central", None, preview=True)
    told = "\n".join(result.errors)
    assert "policy exceptions-hold" in told
    assert 'exception of rule "hybrid-access-is-an-exception" for "old-lake" expired on 2020-01-01' in told
    assert "permissions-are-deleted-before-replaced" not in told
