"""How strictly the policy pack judges. A module of its own: the command line needs the names before anything heavy."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Profile(StrEnum):
    """Which rules of the policy pack refuse: none, those whose severity is high or critical, all."""

    ADVISORY = "advisory"
    STANDARD = "standard"
    STRICT = "strict"


@unique
class Verification(StrEnum):
    """Whether approvals must be looked up where the policy pack is asked.

    off: the declarations' word is taken. when-possible: they are looked up where there is a host to ask, and it is said
    where there is none. required: without a host every grant counts as unapproved.
    """

    OFF = "off"
    WHEN_POSSIBLE = "when-possible"
    REQUIRED = "required"


@unique
class Level(StrEnum):
    """What comes of a violated rule: a line in the report, a refusal, or nothing since it is not asked."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    DISABLED = "disabled"
