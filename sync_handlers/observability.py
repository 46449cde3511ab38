"""One structured logger and one way to count, for every handler.

They log names, counts and reasons; never events, credentials, parameters of tables or anything of the data itself.
"""

from __future__ import annotations

import contextvars

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from sync_handlers.settings import settings

# Service and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL; the name here is the default.
logger = Logger(service="lakemesh", log_uncaught_exceptions=False)


def count(name: str, number: int, **dimensions: str) -> None:
    """A count as a CloudWatch metric (embedded metric format: one line of the log)."""
    with single_metric(name=name, unit=MetricUnit.Count, value=number, namespace=settings().namespace) as metric:
        for key, value in dimensions.items():
            metric.add_dimension(name=key, value=value)


def gauge(name: str, seconds: float, **dimensions: str) -> None:
    """A length of time as a CloudWatch metric, in seconds."""
    with single_metric(name=name, unit=MetricUnit.Seconds, value=seconds, namespace=settings().namespace) as metric:
        for key, value in dimensions.items():
            metric.add_dimension(name=key, value=value)


_correlation: contextvars.ContextVar[str] = contextvars.ContextVar("correlation", default="")


def correlate(identifier: str) -> None:
    """From here on, what is logged, recorded and put on the queue belongs to this event; "" ends it."""
    _correlation.set(identifier)
    if identifier:
        logger.append_keys(correlation_id=identifier)
    else:
        logger.remove_keys(["correlation_id"])


def correlation() -> str:
    """Id of the event, message or deployment that what is being done goes back to; "" if none is known."""
    return _correlation.get()
