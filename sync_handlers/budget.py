"""How much of the function's time is left, and waiting within it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from sync_handlers.errors import OutOfTimeError

MARGIN = 30.0
"""Seconds kept for finishing a call that is under way and for the answer."""
_random = random.SystemRandom()


@dataclass(frozen=True)
class Budget:
    """`remaining` answers in milliseconds, as Lambda's context does."""

    remaining: Callable[[], int]
    margin: float = MARGIN
    sleep: Callable[[float], None] = time.sleep

    def short(self) -> bool:
        return self.remaining() / 1000 < self.margin

    def spend(self) -> None:
        """Call before each piece of work; raises OutOfTimeError when there is no time for another."""
        if self.short():
            raise OutOfTimeError("the function's time ran short")

    def back_off(self, attempt: int, base: float = 0.5, most: float = 8.0) -> None:
        """Wait before attempt `attempt` (from 1) of something that collided: full jitter, bounded, within the time
        left."""
        self.spend()
        self.sleep(_random.uniform(0, min(most, base * 2**attempt)))
