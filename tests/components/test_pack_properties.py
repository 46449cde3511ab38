"""Splitting a policy over several says neither more nor less than the whole, whatever its size."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from components.policy_documents import allow, pack

NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,60}", fullmatch=True), min_size=1, max_size=80, unique=True)
CATALOG = "arn:aws:glue:eu-west-3:900000000001:catalog"


@given(twins=NAMES, readers=NAMES, limit=st.integers(min_value=400, max_value=6144))
def test_documents_together_say_what_the_statements_say(twins: list[str], readers: list[str], limit: int) -> None:
    statements = [
        allow(
            "Twins", ["glue:GetTable"], [CATALOG, *(f"arn:aws:glue:eu-west-3:900000000001:table/{t}/*" for t in twins)]
        ),
        allow("Readers", ["sts:AssumeRole"], [f"arn:aws:iam::900000000002:role/{name}" for name in readers]),
    ]

    made = pack(statements, limit, common=[CATALOG])

    said: dict[str, set[str]] = {}
    for text in made:
        assert len(text) <= limit
        for statement in json.loads(text)["Statement"]:
            assert statement["Sid"] == "Readers" or CATALOG in statement["Resource"]
            said.setdefault(statement["Sid"], set()).update(statement["Resource"])
    assert said == {statement["Sid"]: set(statement["Resource"]) for statement in statements}


@given(twins=NAMES, more=NAMES)
def test_a_name_at_the_end_leaves_the_documents_before_it_alone(twins: list[str], more: list[str]) -> None:
    def documents(names: list[str]) -> list[str]:
        return pack(
            [allow("Twins", ["glue:GetTable"], [f"arn:{number:04}/{name}" for number, name in enumerate(names)])], 800
        )

    before, after = documents(twins), documents([*twins, *more])

    assert after[: len(before) - 1] == before[:-1]
