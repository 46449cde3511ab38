"""Functions that services of AWS invoke without waiting for an answer.

Sources (Lambda developer guide): "Invoking a function asynchronously" (an error is tried twice more, after one and two
minutes), "Granting permissions to AWS services" (the function's own policy lets the service in).
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping

from local_aws.services import background, policy
from local_aws.services.calls import AwsError
from local_aws.services.lambda_.api import _log, policy_statements
from local_aws.services.lambda_.functions import functions

log = logging.getLogger(__name__)
WAITS = (60.0, 120.0)


def deliver(function_arn: str, body: str, service: str, source_arn: str) -> str | None:
    """Have a function run later, as a service of AWS, for one of its resources; the reason where it may not."""
    region, account, name = function_arn.split(":")[3], function_arn.split(":")[4], function_arn.split(":")[6]
    if name not in functions(account, region):
        return "there is no such function"
    context: Mapping[str, policy.Value] = {
        "aws:sourcearn": source_arn, "aws:sourceaccount": source_arn.split(":")[4], "aws:principalisawsservice": "true",
    }  # fmt: skip
    asked = policy.Request("lambda:InvokeFunction", function_arn, context)
    if policy.decide(policy_statements(function_arn), asked, service) is not policy.Decision.ALLOW:
        return "the function's policy does not let the service invoke it"
    background.submit(lambda: _run(account, region, name, body, 0))
    return None


def _run(account: str, region: str, name: str, body: str, tried: int) -> None:
    function = functions(account, region).get(name)
    if function is None:
        return
    request_id, started = str(uuid.uuid4()), time.monotonic()
    failed = True
    try:
        outcome = function.run(body, request_id)
        _log(function, request_id, outcome.log, outcome.error, time.monotonic() - started)
        failed = bool(outcome.error)
    except AwsError as error:
        log.warning("function %s was not run: %s", name, error)
    if failed and tried < len(WAITS):
        background.submit(lambda: _run(account, region, name, body, tried + 1), WAITS[tried])
