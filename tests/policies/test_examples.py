"""The examples have no violation at `strict`, and a mistake in one is refused as its README says."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable

from tests.policies.record import ROOT, Finding, Pack, record, violations

FOREIGN = ROOT / "examples" / "foreign-program-guarded"


def judged(program: Callable[[], object]) -> list[Finding]:
    return Pack(json.loads((FOREIGN / "guardrails.json").read_text())).judge(record(program))


def changed(old: str, new: str) -> Callable[[], object]:
    text = (FOREIGN / "__main__.py").read_text()
    assert text.count(old) == 1

    def program() -> None:
        exec(compile(text.replace(old, new), "__main__.py", "exec"), {"__name__": "__main__"})  # noqa: S102 - the example, changed

    return program


def test_the_foreign_program_breaks_no_rule() -> None:
    found = judged(lambda: runpy.run_path(str(FOREIGN / "__main__.py"), run_name="__main__"))

    assert violations(found) == []
    assert [each for each in found if each.kind == "unknown"] == []


def test_its_readme_shows_what_the_pack_says() -> None:
    found = judged(changed('("restricted", ["customer_email"])', ""))

    assert [each.rule for each in found if each.kind == "violation"] == ["sensitive-columns-carry-sensitivity"]
    assert " ".join(found[-1].message.split()) in " ".join((FOREIGN / "README.md").read_text().split())


def test_its_grant_by_name_is_refused() -> None:
    text = (FOREIGN / "__main__.py").read_text()
    policy = text[
        text.index("    lf_tag_policy={") : text.index("    opts=first_away,\n)\n", text.index("    lf_tag_policy={"))
    ]

    found = judged(changed(policy, '    table={"database_name": "shop", "name": "clicks"},\n'))

    assert violations(found) == [("named-select-never-reaches-sensitive-columns", "analysts-read")]
