"""One structured logger for every handler.

It logs names, counts and reasons; never events, credentials, parameters of tables or anything of the data itself.
"""

from __future__ import annotations

from aws_lambda_powertools import Logger

# Service and level come from POWERTOOLS_SERVICE_NAME and POWERTOOLS_LOG_LEVEL; the name here is the default.
logger = Logger(service="lakemesh", log_uncaught_exceptions=False)
