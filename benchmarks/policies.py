"""What the policy pack adds to a preview of a stack of 500 resources, as a whole and rule by rule.

    python benchmarks/policies.py [--resources 500] [--format text|json]

The pack runs in its own process, booted as the engine boots it, and is asked over gRPC for each resource and then for
the stack, one after the other: an engine asks for several at once, so this is the most that it can add. Booting is
shown apart, since the engine does that while the program starts. Rules are timed in this process, without the SDK.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "policies")]

# ruff: noqa: E402 (the script finds the project by itself)
import pulumi
import pulumi_aws as aws
from guardrails.pack import RULES

from tests.policies.analyzer import booted
from tests.policies.baseline import CENTRAL, SYNC
from tests.policies.mesh import configuration
from tests.policies.record import Pack, Recorded, record

LIMIT_SECONDS = 2.0
READS: aws.lakeformation.PermissionsLfTagPolicyArgsDict = {
    "resource_type": "TABLE",
    "expressions": [{"key": "domain", "values": ["ar"]}, {"key": "sensitivity", "values": ["public"]}],
}


@dataclass(frozen=True)
class Figure:
    """One line: what was done and how long it took."""

    name: str
    seconds: float


def stack(count: int) -> list[Recorded]:
    """A domain's stack of about `count` resources: databases with their tags, and grants."""

    def program() -> None:
        provider = aws.Provider("aws", region="eu-central-1", allowed_account_ids=[CENTRAL])
        opts = pulumi.ResourceOptions(provider=provider, delete_before_replace=True)
        for number in range((count - 2) // 6):
            name = f"database_{number}"
            aws.glue.CatalogDatabase(name, name=name, opts=opts)
            for key, value in (("domain", "ar"), ("sensitivity", "unreviewed")):
                pair: aws.lakeformation.ResourceLfTagLfTagArgsDict = {"key": key, "value": value}
                aws.lakeformation.ResourceLfTag(f"{name}-{key}", database={"name": name}, lf_tag=pair, opts=opts)
            aws.lakeformation.Permissions(
                f"{name}-sync", principal=SYNC, permissions=["CREATE_TABLE"], database={"name": name}, opts=opts
            )
            aws.lakeformation.Permissions(
                f"{name}-tables",
                principal=SYNC,
                permissions=["ALTER", "DESCRIBE", "DROP"],
                table={"database_name": name, "wildcard": True},
                opts=opts,
            )
            aws.lakeformation.Permissions(
                f"{name}-reads",
                principal=f"arn:aws:iam::{CENTRAL}:role/reader-{number}",
                permissions=["SELECT"],
                lf_tag_policy=READS,
                opts=opts,
            )

    return record(program)


def measure(resources: list[Recorded]) -> list[Figure]:
    """The whole pack, in its own process."""
    started = time.perf_counter()
    with booted() as running:
        running.info()
        figures = [Figure("boot", time.perf_counter() - started)]
        started = time.perf_counter()
        running.configure(configuration())
        figures.append(Figure("configure", time.perf_counter() - started))
        alone, whole = [running.resource(each) for each in resources], running.stack(resources)
        started, computed = time.perf_counter(), running.processor_seconds()
        found = running.ask(resources, alone, whole)
        figures.append(Figure("judge", time.perf_counter() - started))
        figures.append(Figure("judge, processor time", running.processor_seconds() - computed))
    if found:
        raise SystemExit(f"the stack was meant to be compliant: {found[0]}")
    return figures


def by_rule(resources: list[Recorded]) -> list[Figure]:
    """Each rule alone, the longest first."""
    settings = RULES[0]
    _seconds(Pack(configuration(), (settings,)), resources)  # the first run wraps every property, for all that follow
    empty = min(_seconds(Pack(configuration(), (settings,)), resources) for _ in range(3))
    figures = []
    for rule in RULES:
        pack = Pack(configuration(), (settings, rule) if rule is not settings else (rule,))
        taken = min(_seconds(pack, resources) for _ in range(2))
        figures.append(Figure(rule.name, max(0.0, taken - (empty if rule is not settings else 0.0))))
    return sorted(figures, key=lambda each: -each.seconds)


def _seconds(pack: Pack, resources: list[Recorded]) -> float:
    started = time.perf_counter()
    pack.judge(resources)
    return time.perf_counter() - started


def main() -> None:
    """Print the figures. Exit code 1 if judging takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resources", type=int, default=500)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    given = parser.parse_args()
    resources = stack(given.resources)
    whole, rules = measure(resources), by_rule(resources)
    if given.format == "json":
        shown = {"resources": len(resources), "pack": [asdict(f) for f in whole], "rules": [asdict(f) for f in rules]}
        print(json.dumps(shown, indent=2))
    else:
        print(f"{len(resources)} resources, {len(RULES)} rules")
        for figure in [*whole, *rules]:
            print(f"  {figure.name:48} {figure.seconds:8.3f} s")
    # By processor time where it is known: what others do on the machine is not the pack's.
    judging = min(figure.seconds for figure in whole if figure.name.startswith("judge") and figure.seconds)
    if judging > LIMIT_SECONDS:
        raise SystemExit(f"the pack adds {judging:.1f} s to a preview; it may add {LIMIT_SECONDS:.0f}")


if __name__ == "__main__":
    main()
