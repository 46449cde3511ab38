"""The portal over one mesh directory and the governance account that this process's credentials are of."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lakemesh.declarations.models import Declarations
from lakemesh.declarations.naming import Naming
from lakemesh.declarations.service_levels import max_age
from lakemesh.portal.catalogue.health import SyncState
from lakemesh.portal.requests.desk import Desk
from lakemesh.portal.requests.log import DynamoEventLog
from lakemesh.portal.service import Portal
from lakemesh.portal.workspace import Workspace

logger = logging.getLogger("lakemesh.portal")
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=5, read_timeout=20)


def now() -> dt.datetime:
    """The time, in UTC."""
    return dt.datetime.now(dt.UTC)


def portal_of(mesh: Path, table: str = "", client: Any = None) -> Portal:
    """A portal. `table`: of the log; as the mesh names it where it is empty. Raises InvalidMeshError, BotoCoreError."""
    workspace = Workspace(mesh, now)
    declarations = workspace.mesh().declarations
    naming = Naming(declarations.mesh)
    made: Any = client or boto3.client("dynamodb", region_name=declarations.mesh.region, config=_CONFIG)
    health = SyncState(lambda: items(made, naming.sync_state), promised(declarations))
    return Portal(workspace, Desk(DynamoEventLog(made, table or naming.access_log), now), health)


def promised(declarations: Declarations) -> dict[str, dt.timedelta]:
    """The oldest that each product's data may be, for those whose contracts say."""
    ages = {name: max_age(product.service_levels) for name, product in declarations.products.items()}
    return {name: dt.timedelta(seconds=age) for name, age in ages.items() if age is not None}


def items(client: Any, table: str) -> Iterable[Mapping[str, Any]]:
    """Every item of a table as plain values; none, with a word in the log, where it cannot be read."""
    plain = TypeDeserializer()
    try:
        for page in client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                yield {key: plain.deserialize(value) for key, value in item.items()}
    except (BotoCoreError, ClientError) as error:
        logger.warning("the sync's state cannot be read: %s", type(error).__name__)
