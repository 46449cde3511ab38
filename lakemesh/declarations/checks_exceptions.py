"""Checks of exceptions.yaml: who waives a rule of the policy pack for what, and what drift may stay for a while.

Whether there is such a rule, and whether the exception has expired, the pack says itself (`lakemesh check`): rules come
with the pack, and days pass without anybody editing a file. Rules about drift are known here.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Final

from lakemesh.declarations.draft import Draft
from lakemesh.declarations.errors import Problem, did_you_mean
from lakemesh.declarations.yamlfile import Path

DRIFT_RULE: Final = "drift-"
"""How rules begin that are no rules of the pack's: what nobody declared, and `lakemesh drift` finds."""
DRIFT_RULES: Final = tuple(DRIFT_RULE + kind for kind in ("grant", "filter", "tag", "setting", "share", "link"))


def exceptions_are_for_stacks_of_the_mesh(draft: Draft) -> Iterator[Problem]:
    known = draft.known
    if not (known.producers.complete and known.domains.complete and known.consumers.complete):
        return
    kinds = (("producer", known.producers), ("domain", known.domains), ("consumer", known.consumers))
    stacks = ["central", *(f"{kind}-{name}" for kind, names in kinds for name in names)]
    for path, exception in draft.all_exceptions():
        if not fnmatch.filter(stacks, exception.stack):
            text = f'No stack of the mesh is called "{exception.stack}".{did_you_mean(exception.stack, stacks)}'
            yield _at(draft, path, "unknown-reference", text, "stack")


def exceptions_about_drift_name_a_kind_of_it(draft: Draft) -> Iterator[Problem]:
    for path, exception in draft.all_exceptions():
        if exception.rule.startswith(DRIFT_RULE) and exception.rule not in DRIFT_RULES:
            text = (
                f'"{exception.rule}" is no kind of drift.{did_you_mean(exception.rule, DRIFT_RULES)}\n'
                f"There are {', '.join(DRIFT_RULES)}."
            )
            yield _at(draft, path, "exception-of-no-drift", text, "rule")


def exceptions_are_approved_by_others(draft: Draft) -> Iterator[Problem]:
    for path, exception in draft.all_exceptions():
        if exception.approver.casefold() == exception.owner.casefold():
            text = (
                f'"{exception.owner}" answers for this exception and cannot approve it.\n'
                "Somebody else must decide that the rule may wait."
            )
            yield _at(draft, path, "exception-own-approval", text, "approver")


def exceptions_are_said_once(draft: Draft) -> Iterator[Problem]:
    first: dict[tuple[str, str, str], Path] = {}
    for path, exception in draft.all_exceptions():
        other = first.setdefault((exception.rule, exception.resource, exception.stack), path)
        if other != path:
            place = draft.places.of(draft.places.exceptions_file, *other)
            text = (
                f"The same exception stands in line {place.line}, and the longer of the two would win.\n"
                "Keep one of them."
            )
            yield _at(draft, path, "duplicate-exception", text)


def exceptions_are_no_switches(draft: Draft) -> Iterator[Problem]:
    """What holds for every resource is no exception, and is easier to see where the profile is chosen."""
    for path, exception in draft.all_exceptions():
        if not exception.resource.strip("*?") and not exception.stack.strip("*?"):
            text = (
                f'"{exception.resource}" is every resource of the mesh, so nothing would be left of the rule.\n'
                "Name the resources or the stack; or, for another level of the whole rule, write it in mesh.yaml:\n"
                f"policies: {{levels: {{{exception.rule}: advisory}}}}"
            )
            yield _at(draft, path, "exception-too-wide", text, "resource")


def _at(draft: Draft, path: Path, rule: str, text: str, *inside: str | int) -> Problem:
    return draft.places.problem(rule, text, draft.places.exceptions_file, *path, *inside)
