"""Lambda: functions run for real, each in a Python process of its own, under its role's credentials. No Docker."""

from local_aws.services.lambda_ import mappings
from local_aws.services.lambda_.api import policy_statements, stop_workers

__all__ = ["mappings", "policy_statements", "stop_workers"]
