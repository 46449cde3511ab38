"""What holds for every rule, whatever it is about."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from guardrails.catalogue import page, profile_text
from guardrails.mesh import VERSION, Manifest, ManifestError
from guardrails.pack import CONCERNS, RULES
from guardrails.profiles import PROFILES, level
from guardrails.profiles import configuration as profile_configuration
from guardrails.rule import Rule
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from tests.policies.baseline import PROGRAMS
from tests.policies.corpus import BAD, PACK, bad, good
from tests.policies.mesh import configuration
from tests.policies.record import ROOT, Finding, Pack, Recorded, violations

NAMES = [rule.name for rule in RULES]


# ----------------------------------------------------------------------------------------------------------- metadata
@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_says_what_it_is_why_and_how_to_mend_it(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert rule.name != "all"
    for sentence in (rule.description, rule.why, rule.remediation):
        assert re.match(r"^[A-Z\"`].*[.}]$", sentence, re.DOTALL), sentence
    assert rule.description.count(". ") == 0, "the description is one sentence"
    assert rule.good
    assert rule.bad
    assert rule.good != rule.bad
    assert (rule.on_resource is None) != (rule.on_stack is None)
    assert bool(rule.types) == (rule.on_resource is not None)
    assert all(value.get("description") for value in rule.schema.values())


def test_names_are_unique_and_each_rule_has_a_concern() -> None:
    assert len(NAMES) == len(set(NAMES))
    assert {rule.concern for rule in RULES} == {concern.name for concern in CONCERNS}


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_address_of_a_rule_is_a_heading_of_the_catalogue(rule: Rule) -> None:
    path, anchor = rule.url.split("#")

    assert f"\n### {anchor}\n" in (ROOT / path).read_text()


def test_the_catalogue_is_current() -> None:
    """Mend: python policies/catalogue.py"""
    assert (ROOT / "docs" / "policies.md").read_text() == page()


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_that_are_shipped_are_current(profile: str) -> None:
    """Mend: python policies/catalogue.py"""
    assert (ROOT / "policies" / "profiles" / f"{profile}.json").read_text() == profile_text(profile)


# ---------------------------------------------------------------------------------------------------- include, exclude
def excluded(name: str, options: Mapping[str, Any]) -> list[Finding]:
    program = bad(name)
    config = {**program.config, program.rule: {**program.config.get(program.rule, {}), **options}}
    return [each for each in Pack(config).judge(program.resources) if each.rule == program.rule]


@pytest.mark.parametrize("name", BAD)
def test_a_resource_can_be_excluded_from_a_rule_and_a_rule_limited_to_resources(name: str) -> None:
    resource = bad(name).resource

    assert violations(excluded(name, {"exclude": ["nothing", f"{resource[:3]}*"]})) == []
    assert violations(excluded(name, {"include": ["nothing"]})) == []
    assert violations(excluded(name, {"include": [f"{resource[:3]}*"]})) != []
    assert violations(excluded(name, {"exclude": ["nothing"]})) != []


# --------------------------------------------------------------------------------------------------- irrelevant resources
def test_resources_of_other_programs_are_left_alone() -> None:
    def foreign() -> None:
        import pulumi
        import pulumi_aws as aws

        opts = pulumi.ResourceOptions(provider=aws.Provider("aws", allowed_account_ids=["999988887777"]))
        aws.ec2.Vpc("network", cidr_block="10.0.0.0/16", opts=opts)
        aws.route53.Zone("zone", name="acme.example", opts=opts)
        aws.dynamodb.Table("table", attributes=[{"name": "id", "type": "S"}], hash_key="id", opts=opts)

    from tests.policies.record import record

    assert PACK.judge(record(foreign)) == []


@pytest.mark.parametrize("name", BAD)
def test_a_rule_looks_at_no_resource_of_another_type(name: str) -> None:
    program = bad(name)
    renamed = [replace(each, type=f"other:{each.type}") for each in program.resources]

    assert violations(Pack(program.config).judge(renamed)) == []


# ------------------------------------------------------------------------------------------------------- unknown values
def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value, from the outside in."""
    if path:
        yield path
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, (*path, number))


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    if not path:
        return to
    if isinstance(value, Mapping):
        return {**value, path[0]: changed(value[path[0]], path[1:], to)}
    return [changed(each, path[1:], to) if number == path[0] else each for number, each in enumerate(value)]


RESOURCE_RULES = Pack(configuration(), tuple(rule for rule in RULES if rule.on_resource))
STACK_RULES = Pack(configuration(), (RULES[0], *(rule for rule in RULES if rule.on_stack)))


def judged_with(resources: list[Recorded], number: int, odd: Recorded) -> list[Finding]:
    """What the pack says where one resource is another: rules about single resources need not look at the others."""
    return [
        *RESOURCE_RULES.judge([odd]),
        *STACK_RULES.judge([*resources[:number], odd, *resources[number + 1 :]]),
    ]


def without(resource: Recorded, path: tuple[Any, ...], to: Any) -> Recorded:
    outputs = changed(resource.outputs, path, to) if path[0] in resource.outputs else resource.outputs
    inputs = changed(resource.inputs, path, to) if path[0] in resource.inputs else resource.inputs
    return replace(resource, inputs=inputs, outputs=outputs)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_whatever_is_unknown_is_no_violation_and_no_error(name: str) -> None:
    """Each value of a compliant program in turn: what is not known yet may turn out to be what it is."""
    resources = list(good(name))
    for number, resource in enumerate(resources):
        for path in {*leaves(resource.inputs), *leaves(resource.outputs)}:
            if resource.type.startswith("pulumi:"):
                continue
            found = judged_with(resources, number, without(resource, path, UNKNOWN_STRING_VALUE))
            assert violations(found) == [], f"{resource.name}: {path}"


@pytest.mark.parametrize("name", BAD)
def test_a_rule_says_that_it_cannot_know_or_says_what_it_knows(name: str) -> None:
    """Every property of the refused resource at once: the rule raises UnknownValueError or is as sure as before."""
    program = bad(name)
    hidden = [
        replace(
            each,
            inputs=dict.fromkeys(each.inputs, UNKNOWN_STRING_VALUE),
            outputs=dict.fromkeys(each.outputs, UNKNOWN_STRING_VALUE),
        )
        if each.name == program.resource
        else each
        for each in program.resources
    ]

    found = [each for each in Pack(program.config).judge(hidden) if each.rule == program.rule]

    assert all("could not judge" not in each.message for each in found)
    # Where one resource too many is the mistake, another than before may be the last.
    assert len(violations(found)) <= 1


# ------------------------------------------------------------------------------------------------------ no rule throws
STRANGE = (None, "", "x", 7.0, -1.5, True, [], {}, [[]], [{}], {"x": {}}, ["x", 3.0, None], {"": None}, "{", "[]", "{}")


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_no_rule_throws_whatever_a_property_holds(name: str) -> None:
    """Programs of others, and resources of providers to come: the pack may judge wrongly, and must not end the preview."""
    resources, chance = list(good(name)), random.Random(name)  # noqa: S311 - seeded, not secret
    for number, resource in enumerate(resources):
        for path in leaves(resource.inputs):
            odd = without(resource, path, chance.choice(STRANGE))
            found = judged_with(resources, number, odd)
            assert not [each for each in found if "could not judge" in each.message], f"{resource.name}: {path}"


def test_an_error_inside_a_rule_is_a_violation_that_says_so() -> None:
    def check(*_: object) -> Iterator[str]:
        raise KeyError("surprise")

    types = frozenset({"aws:lakeformation/permissions:Permissions"})
    rule = next(each for each in RULES if each.name == "grants-never-give-all")
    broken = replace(rule, on_resource=check, on_stack=None, types=types)
    broken_stack = replace(rule, on_resource=None, on_stack=check, types=frozenset())

    for each in (broken, broken_stack):
        found = Pack({}, (each,)).judge(good("domain"))
        assert found
        assert {one.kind for one in found} == {"violation"}
        assert "could not judge" in found[0].message
        assert "KeyError: 'surprise'" in found[0].message


# ------------------------------------------------------------------------------------------------------------ profiles
def test_advisory_refuses_nothing_standard_what_is_high_and_strict_everything() -> None:
    levels = {profile: {rule.name: level(rule.name, profile) for rule in RULES} for profile in PROFILES}
    informing = {"mesh-is-described", "exceptions-are-shown"}

    assert set(levels["advisory"].values()) == {"advisory"}
    assert {name for name, each in levels["strict"].items() if each != "mandatory"} == informing
    refused = {rule.name for rule in RULES if rule.severity.value in {"critical", "high"}}
    assert {name for name, each in levels["standard"].items() if each == "mandatory"} == refused


def test_a_rule_can_be_overridden_with_a_level_or_with_options() -> None:
    made = profile_configuration(
        "standard",
        overrides={
            "alarms-have-an-action": "disabled",
            "cross-account-version-is-current": {"minimum": 4},
            "logs-have-a-retention": {"enforcementLevel": "mandatory", "exclude": ["old-*"]},
        },
        exceptions=[{"rule": "x"}],
        approvals={"a": "verified"},
        manifest={"version": 1},
        settings={"today": "2026-01-01"},
    )

    assert made["alarms-have-an-action"] == {"enforcementLevel": "disabled"}
    assert made["cross-account-version-is-current"] == {"enforcementLevel": "mandatory", "minimum": 4}
    assert made["logs-have-a-retention"] == {"enforcementLevel": "mandatory", "exclude": ["old-*"]}
    assert made["mesh-is-described"] == {
        "enforcementLevel": "advisory",
        "manifest": {"version": 1},
        "exceptions": [{"rule": "x"}],
        "approvals": {"a": "verified"},
        "today": "2026-01-01",
    }


@pytest.mark.parametrize(
    ("profile", "overrides", "said"),
    [
        ("relaxed", {}, "is no profile; there are advisory, standard, strict"),
        ("strict", {"grants-never-give-al": "disabled"}, "is no rule of the pack"),
        ("strict", {"grants-never-give-all": "off"}, "cannot have the level 'off'"),
    ],
)
def test_what_does_not_exist_cannot_be_configured(profile: str, overrides: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        profile_configuration(profile, overrides=overrides)


# ------------------------------------------------------------------------------------------------------------ manifest
@pytest.mark.parametrize(
    ("document", "said"), [(7, "not a JSON object"), ({}, "version None"), ({"version": 2}, "reads version 1")]
)
def test_a_manifest_of_another_kind_is_refused(document: Any, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        Manifest.of(document)


def test_the_pack_reads_the_version_that_the_program_writes() -> None:
    from lakemesh.declarations import manifest

    assert manifest.VERSION == VERSION


def test_an_empty_manifest_reads_as_empty() -> None:
    empty = Manifest.of({"version": 1.0})

    assert (empty.central, empty.organization, empty.accounts, empty.grants) == ("", "", frozenset(), [])
    assert empty.approvers("x") == frozenset()
    assert empty.product_status("x") == ""
