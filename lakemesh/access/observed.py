"""What an account holds of Lake Formation beside what the evaluator decides by: settings, ontology, shares.

Plain values, like `state`: read from an account (`lakemesh.live`) or worked out from declarations (`wanted`), so that
`drift` compares two of a kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lakemesh.access.state import CatalogState


@dataclass(frozen=True)
class SettingsState:
    """DataLakeSettings of an account and region, as far as they decide who may do what."""

    administrators: frozenset[str] = frozenset()
    read_only_administrators: frozenset[str] = frozenset()
    open_databases: bool = False
    """Whether new databases are given to IAM_ALLOWED_PRINCIPALS."""
    open_tables: bool = False
    """Whether new tables are."""
    version: int = 1
    """CROSS_ACCOUNT_VERSION."""
    trusted_owners: frozenset[str] = frozenset()
    external_filtering: bool = False
    """Whether engines that filter data themselves are let at it (AllowExternalDataFiltering)."""


@dataclass(frozen=True, order=True)
class InvitationState:
    """An invitation to one of Lake Formation's RAM shares, as the account that received it sees it."""

    share: str
    """ARN of the share."""
    name: str
    owner: str
    status: str
    """PENDING, ACCEPTED, REJECTED or EXPIRED."""


@dataclass(frozen=True, order=True)
class ShareState:
    """One of Lake Formation's RAM shares, as the account that owns it sees it."""

    name: str
    arn: str
    resources: tuple[str, ...] = ()
    """ARNs in Glue of what it carries, sorted."""


@dataclass(frozen=True)
class AccountState:
    """One account and region."""

    catalog: CatalogState
    settings: SettingsState = SettingsState()
    ontology: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values by LF-Tag key."""
    invitations: tuple[InvitationState, ...] = ()
    received: frozenset[str] = frozenset()
    """ARNs of Lake Formation's shares that are in force here."""
    shares: tuple[ShareState, ...] = ()
