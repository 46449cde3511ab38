"""Pulumi components of a data mesh on AWS Lake Formation, with plain arguments.

They know nothing of lakemesh's declarations: `lakemesh.deploy.arguments` turns those into the arguments here, and the
same components serve any Pulumi language as a package (`PulumiPlugin.yaml`, `__main__.py`).

Modules here never say `from __future__ import annotations`: the package's schema is inferred from real annotations.
"""

from components.central_account import CentralAccount, CentralAccountArgs
from components.consumer_account import ConsumerAccount, ConsumerAccountArgs
from components.domain import Domain, DomainArgs
from components.producer_account import ProducerAccount, ProducerAccountArgs
from components.table_tags import TableTags, TableTagsArgs

__all__ = [
    "CentralAccount",
    "CentralAccountArgs",
    "ConsumerAccount",
    "ConsumerAccountArgs",
    "Domain",
    "DomainArgs",
    "ProducerAccount",
    "ProducerAccountArgs",
    "TableTags",
    "TableTagsArgs",
]
