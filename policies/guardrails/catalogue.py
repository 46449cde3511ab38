"""The catalogue of rules as a page, from their metadata. `python policies/catalogue.py` writes docs/policies.md."""

from __future__ import annotations

import json
from collections.abc import Iterator

from guardrails.pack import CONCERNS, RULES
from guardrails.profiles import PROFILES, level
from guardrails.rule import SELECTION, Rule

HEAD = """# Policies

<!-- Written by `python policies/catalogue.py` from the metadata of the rules; a test keeps it current. -->

{count} rules about AWS Lake Formation, the Glue Data Catalog and what surrounds them. They judge this program and
any other Pulumi program, before anything is changed:

    lakemesh check [STACK…] [--profile standard] [--format text|json|sarif|markdown]

asks them about every stack of a mesh: by previews where Pulumi is installed, with `--engine inprocess` without Pulumi,
credentials and state. Both say the same of a stack that is not deployed yet; of one that is, a preview knows more
values, and fewer answers wait. It ends with 1 where something is refused. `lakemesh preview`, `lakemesh up` and the
workflows ask them as well. All of them go by what the mesh says: `policies` in mesh.yaml (the profile, levels
and options of single rules) and exceptions.yaml ([declarations.md](declarations.md)). Any other program is judged by
Pulumi itself:

    python policies/configure.py --profile standard --manifest manifest.json > guardrails.json
    pulumi preview --policy-pack policies --policy-pack-config guardrails.json

* **Profiles.** `advisory` refuses nothing, `standard` refuses what is critical or high, `strict` refuses everything.
  Without configuration it is `standard`.
* **Configuration.** Every rule can be given `enforcementLevel` (`advisory`, `mandatory`, `disabled`), and `include` and
  `exclude`, lists of patterns of resource names. Rules that take more say so below.
* **The mesh.** Accounts, contracts, LF-Tags and approvals come as the manifest, in the configuration of
  [mesh-is-described](#mesh-is-described). Rules that need it are not applied without it, and say so.
* **Exceptions** name a rule, a pattern of resources, a reason, an owner and an expiry. One in force is shown in the
  report ([exceptions-are-shown](#exceptions-are-shown)); one that expired fails ([exceptions-hold](#exceptions-hold)).
* **What is not known yet** in a preview is said, and judged by the update, which runs the same rules. `lakemesh check`
  counts such answers, and lists them with `--format json`.

| rule | severity | refused from | about |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return HEAD.format(count=len(RULES)) + "\n".join([*_overview(), *_concerns()]) + "\n"


def _overview() -> Iterator[str]:
    for rule in RULES:
        refused = next((each for each in PROFILES if level(rule.name, each) == "mandatory"), "never")
        yield f"| [{rule.name}](#{rule.name}) | {rule.severity.value} | {refused} | {rule.description} |"


def _concerns() -> Iterator[str]:
    for concern in CONCERNS:
        yield f"\n## {concern.title}"
        for rule in concern.rules:
            yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"\n### {rule.name}\n"
    yield f"**{rule.description}** {rule.why}\n"
    kind = "each resource" if rule.on_resource else "the stack as a whole"
    needs = " Needs the manifest." if rule.needs_manifest else ""
    yield f"Severity {rule.severity.value}; tags {', '.join([rule.concern, *rule.tags])}; judges {kind}.{needs}\n"
    yield f"*Mend:* {rule.remediation}\n"
    yield f"Good:\n\n```python\n{rule.good}\n```\n"
    yield f"Bad:\n\n```python\n{rule.bad}\n```"
    own = {key: value for key, value in rule.schema.items() if key not in SELECTION}
    if own:
        yield "\nConfiguration:\n"
        for key, value in own.items():
            shape = value["type"] if "items" not in value else f"list of {value['items']['type']}s"
            yield f"* `{key}` ({shape}): {value['description']}"


def profile_text(profile: str) -> str:
    """A profile as the file that the pack ships."""
    levels = {rule.name: {"enforcementLevel": level(rule.name, profile)} for rule in RULES}
    return json.dumps(levels, indent=2) + "\n"
