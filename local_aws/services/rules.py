"""Rule expressions of composite alarms (CloudWatch API reference, PutCompositeAlarm, AlarmRule).

`ALARM("a") AND (NOT OK(b) OR INSUFFICIENT_DATA("arn:…:alarm:c"))`, TRUE and FALSE; NOT binds closest, then AND, OR.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

States = Mapping[str, str]
_Test = Callable[[States], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<state>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<quoted>[^\"]+)\"|(?P<bare>[^\s()\"]+))\s*\)"
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<mark>[()]))"
)


class RuleError(ValueError):
    """An expression that is none."""


@dataclass(frozen=True)
class Rule:
    """A rule that can be asked, and the alarms that it names."""

    test: _Test
    names: frozenset[str]

    def holds(self, states: States) -> bool:
        """Whether it holds; `states` by alarm name. An alarm that is gone is in none."""
        return self.test(states)


def parse(text: str) -> Rule:
    """The rule of an expression. Raises RuleError."""
    return _Parser(text).rule()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[re.Match[str]] = []
        self._names: set[str] = set()
        self._next = place = 0
        text = text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise RuleError(f"AlarmRule cannot be read from character {place + 1} on: {text[place : place + 30]}")
            self._tokens.append(found)
            place = found.end()

    def rule(self) -> Rule:
        test = self._either()
        if self._next < len(self._tokens):
            raise RuleError(f"AlarmRule goes on after its end: {self._tokens[self._next][0].strip()}")
        return Rule(test, frozenset(self._names))

    def _take(self, *words: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next][0].strip() in words:
            self._next += 1
            return True
        return False

    def _either(self) -> _Test:
        tests = [self._both()]
        while self._take("OR"):
            tests.append(self._both())
        return lambda states: any(test(states) for test in tests)

    def _both(self) -> _Test:
        tests = [self._one()]
        while self._take("AND"):
            tests.append(self._one())
        return lambda states: all(test(states) for test in tests)

    def _one(self) -> _Test:
        if self._take("NOT"):
            test = self._one()
            return lambda states: not test(states)
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise RuleError("AlarmRule lacks a closing parenthesis")
            return inner
        if self._take("TRUE"):
            return lambda _: True
        if self._take("FALSE"):
            return lambda _: False
        if self._next >= len(self._tokens) or not self._tokens[self._next]["state"]:
            raise RuleError("AlarmRule lacks a function, such as ALARM(name)")
        token = self._tokens[self._next]
        self._next += 1
        state, name = token["state"], (token["quoted"] or token["bare"]).rpartition(":alarm:")[2]
        self._names.add(name)
        return lambda states: states.get(name) == state
