"""docs/bootstrap.md says what there is: every file, statement fence, option and exit."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from lakemesh.bootstrap.guardrails import guardrails
from lakemesh.bootstrap.templates import templates
from lakemesh.cli.bootstrap import bootstrap
from lakemesh.declarations.models import Declarations

PAGE = (Path(__file__).parents[2] / "docs" / "bootstrap.md").read_text(encoding="utf-8")


def test_the_page_names_every_option() -> None:
    declared = set(re.findall(r'"(--[a-z]+)"', inspect.getsource(bootstrap)))
    assert declared == {f"--{name}" for name in ("mesh", "out", "account", "check", "verify", "profile", "format")}
    assert not [option for option in declared if option not in PAGE]


def test_the_page_names_every_policy_and_every_kind_of_resource(sample: Declarations) -> None:
    assert not [each.file for each in guardrails(sample) if f"`{each.file}`" not in PAGE]
    made = {re.sub(r"\d+$", "", name) for template in templates(sample) for name in template.body["Resources"]}
    named = {re.sub(r"[\d…]+$", "", name) for name in re.findall(r"`(\w+\d?…?)`", PAGE)}
    # A bucket's policy and a key's alias go without saying.
    assert made - named == {"StateBucketPolicy", "StateKeyAlias"}
