"""Break each condition of the rules, one at a time, and see whether a program of the tests notices: `python tests/policies/mutate.py`.

A condition is a comparison, a test of an `if`, an operand of `and`, `or` and `not`, or the condition of a comprehension. It
is negated, or its `and` becomes an `or`; the corpus, the compliant programs and the cases are then judged again, and some
finding has to differ. Prints what survived and the score. `--module grants` does one module, `--list` shows what would be done.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.util
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.policies import record  # noqa: E402
from tests.policies.baseline import PROGRAMS  # noqa: E402
from tests.policies.cases import CASES  # noqa: E402
from tests.policies.corpus import BAD, bad, case, good  # noqa: E402
from tests.policies.mesh import configuration  # noqa: E402

RULES_LIVE_IN = (
    "tagging", "lf_tags", "grants", "grant", "combinations", "sharing", "settings", "locations", "roles", "documents",
    "operations", "encryption", "consumers", "meta",
)  # fmt: skip
GUARDRAILS = ROOT / "policies" / "guardrails"


@dataclass(frozen=True)
class Judged:
    """One program of the tests, and what was found before anything was broken."""

    name: str
    resources: tuple[Any, ...]
    config: dict[str, dict[str, Any]]
    expected: frozenset[tuple[str, str, str]]


def programs() -> list[Judged]:
    """Everything that the tests judge, with the findings of the rules as they are."""
    made = [(f"bad/{name}", bad(name).resources, bad(name).config) for name in BAD]
    made += [(f"case/{name}", case(name).resources, case(name).config) for name in CASES]
    made += [
        (f"good/{name}{'/preview' if preview else ''}", good(name, preview=preview), configuration())
        for name in PROGRAMS
        for preview in (False, True)
    ]
    return [Judged(name, tuple(found), config, findings(found, config)) for name, found, config in made]


def findings(
    resources: Sequence[Any], config: dict[str, dict[str, Any]], concern: str = ""
) -> frozenset[tuple[str, str, str]]:
    """(rule, resource, kind and message), of one concern or of all."""
    pack = importlib.import_module("guardrails.pack")
    record.Shared = importlib.import_module("guardrails.mesh").Shared  # type: ignore[misc]
    record.policies = pack.policies
    rules = tuple(each for each in pack.RULES if concern in {"", each.concern} or each.name == "mesh-is-described")
    found = record.Pack(config, rules).judge(resources)
    return frozenset((each.rule, each.resource, f"{each.kind}: {each.message}") for each in found)


# ---------------------------------------------------------------------------------------------------------- mutants
def conditions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Places that can be broken: (number of the node in ast.walk, how)."""
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, ast.Compare):
            yield number, "negated"
        elif isinstance(node, ast.BoolOp):
            yield number, "and/or swapped"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield number, "not removed"
        elif isinstance(node, ast.comprehension) and any(
            isinstance(each, ast.Attribute | ast.Name | ast.Call) for each in node.ifs
        ):
            yield number, "filter negated"
        elif isinstance(node, ast.If | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield number, "test negated"


class Break(ast.NodeTransformer):
    """Replaces one node."""

    def __init__(self, target: ast.AST) -> None:
        self.target = target

    def visit(self, node: ast.AST) -> Any:
        if node is not self.target:
            return self.generic_visit(node)
        if isinstance(node, ast.Compare):
            return ast.UnaryOp(ast.Not(), node)
        if isinstance(node, ast.BoolOp):
            return ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        if isinstance(node, ast.UnaryOp):
            return node.operand
        if isinstance(node, ast.comprehension):
            node.ifs = [ast.UnaryOp(ast.Not(), each) for each in node.ifs]
        if isinstance(node, ast.If | ast.IfExp):
            node.test = ast.UnaryOp(ast.Not(), node.test)
        return node


def mutant(tree: ast.Module, number: int) -> tuple[ast.Module, str]:
    """A copy of a module with one node broken, and where that is."""
    broken = copy.deepcopy(tree)
    node = list(ast.walk(broken))[number]
    line = getattr(node, "lineno", 0) or node.iter.lineno  # type: ignore[attr-defined]
    where = f"{line}: {ast.unparse(node).splitlines()[0][:90]}"
    return ast.fix_missing_locations(Break(node).visit(broken)), where


class Instead(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Loads one module from a tree instead of its file."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.code = name, compile(tree, name, "exec")

    def find_spec(self, fullname: str, path: object, target: object = None) -> Any:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102 - the project's own source, one condition broken


def forget() -> None:
    for name in [each for each in sys.modules if each.split(".")[0] == "guardrails"]:
        del sys.modules[name]


def killed_by(module: str, tree: ast.Module, judged: Sequence[Judged], concern: str) -> str:
    """The program that notices that a module is broken; "" if none does."""
    finder = Instead(f"guardrails.{module}", tree)
    forget()
    sys.meta_path.insert(0, finder)
    try:
        for each in judged:
            expected = {one for one in each.expected if concern == "" or one[0] in of_concern(concern)}
            if findings(each.resources, each.config, concern) != expected:
                return each.name
    except Exception as error:  # noqa: BLE001 - a mutant that does not even load is noticed
        return f"{type(error).__name__}"
    finally:
        sys.meta_path.remove(finder)
        forget()
    return ""


_CONCERNS: dict[str, frozenset[str]] = {}


def of_concern(concern: str) -> frozenset[str]:
    """Names of a concern's rules."""
    return _CONCERNS[concern] | {"mesh-is-described"}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it. Exit code 1 if anything survived that no comment in the source says to be equivalent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", choices=RULES_LIVE_IN, action="append")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    judged = programs()
    for rule in record.RULES:
        _CONCERNS[rule.concern] = _CONCERNS.get(rule.concern, frozenset()) | {rule.name}
    # Where a module has rules that no other module builds on, its own programs are enough.
    alone = ("grants", "combinations", "settings", "locations", "operations", "encryption", "consumers")
    own = {"meta": "pack", **{name: name for name in alone}}
    killed = survived = 0
    for module in given.module or RULES_LIVE_IN:
        source = (GUARDRAILS / f"{module}.py").read_text()
        tree, lines = ast.parse(source), source.splitlines()
        mine = own.get(module, "")
        # Programs that found something of this concern notice first.
        ordered = sorted(judged, key=lambda each: not any(one[0] in _CONCERNS.get(mine, ()) for one in each.expected))
        for number, how in conditions(tree):
            broken, where = mutant(tree, number)
            line = lines[int(where.split(":")[0]) - 1]
            if given.list:
                say(f"{module}.py:{where} ({how})")
                continue
            if killed_by(module, broken, ordered, mine):
                killed += 1
            else:
                survived += 1
                say(f"survived: {module}.py:{where} ({how}) in: {line.strip()}")
    total = killed + survived
    if total:
        score = f"{killed} of {total} broken conditions noticed ({100 * killed / total:.1f} %)"
        say(f"{score}, {time.monotonic() - started:.0f} s")

    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
