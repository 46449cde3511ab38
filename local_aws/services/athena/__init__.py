"""Athena: workgroups, and queries that DuckDB answers after Lake Formation has said which columns it may see."""

import local_aws.services.athena.executions
import local_aws.services.athena.workgroups  # noqa: F401 - both register their operations
