"""One component, built under an explicit provider in a recording engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws

from tests.program.engine import Engine


def build(
    engine: Engine, component: Callable[..., pulumi.ComponentResource], arguments: Any, *, preview: bool = False
) -> Engine:
    """Run a program that is this component and nothing else; it is called `it`."""

    def program() -> None:
        provider = aws.Provider("aws", region=arguments.get("region", "eu-west-3"))
        component("it", arguments, pulumi.ResourceOptions(providers=[provider]))

    return engine.run(program, preview=preview)
