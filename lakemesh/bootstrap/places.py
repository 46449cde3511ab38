"""The accounts of a mesh, each with the names of what its stacks make there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from functools import cached_property

from lakemesh.bootstrap.documents import BootstrapError
from lakemesh.declarations.models import Declarations, Mesh
from lakemesh.declarations.naming import MAX_ROLE_NAME, Naming

MESH_TAG = "lakemesh:mesh"
"""Every resource carries it, by the provider's default tags, with the mesh's name as value."""
_HASHED = 11
"""A name that is too long ends in a dash and ten characters of a hash (`naming.shorten`)."""


@unique
class Kind(StrEnum):
    """What an account is to the mesh."""

    CENTRAL = "central"
    PRODUCER = "producer"
    CONSUMER = "consumer"


@dataclass(frozen=True)
class Place:
    """One account of a mesh."""

    declarations: Declarations
    kind: Kind
    name: str = ""

    @property
    def part(self) -> str:
        """`central`, `producer-<p>` or `consumer-<c>`: also the name of its stack."""
        return Naming.stack(str(self.kind), self.name)

    @property
    def mesh(self) -> Mesh:
        return self.declarations.mesh

    @cached_property
    def naming(self) -> Naming:
        return Naming(self.mesh)

    @property
    def central(self) -> str:
        """Id of the governance account."""
        return self.mesh.central.account

    @property
    def account(self) -> str:
        match self.kind:
            case Kind.CENTRAL:
                return self.central
            case Kind.PRODUCER:
                return self.mesh.producers[self.name].account
            case Kind.CONSUMER:
                return self.mesh.consumers[self.name].account

    def arn(self, service: str, resource: str, account: str | None = None) -> str:
        """ARN in the mesh's region, of this account unless another is given."""
        return f"arn:{self.naming.partition}:{service}:{self.mesh.region}:{account or self.account}:{resource}"

    def iam(self, resource: str, account: str | None = None) -> str:
        """ARN of something of IAM."""
        return f"arn:{self.naming.partition}:iam::{account or self.account}:{resource}"

    def s3(self, resource: str) -> str:
        return f"arn:{self.naming.partition}:s3:::{resource}"

    # -------------------------------------------------------------------------------------------- the deploying role
    @property
    def deploy_role_arn(self) -> str:
        return self.naming.deploy_role_arn(str(self.kind), self.name)

    @property
    def deploy_role(self) -> str:
        """Its name, without the path."""
        return self.deploy_role_arn.rpartition("/")[2]

    @property
    def deploy_path(self) -> str:
        """Its path, `/` where it has none."""
        return self.deploy_role_arn.split(":role", 1)[1].removesuffix(self.deploy_role)

    @property
    def boundary_arn(self) -> str:
        """Permission boundary of the roles that its stacks make."""
        return self.iam(f"policy/{self.naming.boundary}")

    # ------------------------------------------------------------------------------------------ what stacks make there
    @property
    def reviews_after_sync(self) -> bool:
        """Whether a function of the governance account judges columns."""
        return self.kind is Kind.CENTRAL and self.mesh.classification.after_sync

    @property
    def scans(self) -> bool:
        """Whether a function of this producer's account looks at samples."""
        return self.kind is Kind.PRODUCER and self.mesh.producers[self.name].scan is not None

    @property
    def keeps_findings(self) -> bool:
        """Whether the governance account has a bucket of findings."""
        scanning = any(producer.scan for producer in self.mesh.producers.values())
        return self.kind is Kind.CENTRAL and (scanning or self.mesh.classification.after_sync)

    @property
    def function_roles(self) -> tuple[str, ...]:
        """Names of the roles of its functions."""
        naming = self.naming
        match self.kind:
            case Kind.CENTRAL:
                return (naming.sync_role, naming.tag_role, *((naming.review_role,) if self.reviews_after_sync else ()))
            case Kind.PRODUCER:
                return (naming.statements_role(self.name), *((naming.scan_role(self.name),) if self.scans else ()))
            case Kind.CONSUMER:
                return (naming.shares_role(self.name),)

    @property
    def registration_roles(self) -> str:
        """Pattern of the roles that Lake Formation reads through: a new domain needs no new template."""
        return pattern(self.mesh.name, "register")

    @property
    def roles(self) -> tuple[str, ...]:
        """Names, or patterns, of every role that its stacks make."""
        match self.kind:
            case Kind.CENTRAL:
                return (*self.function_roles, self.registration_roles)
            case Kind.PRODUCER:
                naming = self.naming
                return (*self.function_roles, naming.reader_role(self.name), naming.forwarding_role(self.name))
            case Kind.CONSUMER:
                return self.function_roles

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of its functions."""
        naming = self.naming
        match self.kind:
            case Kind.CENTRAL:
                review = (naming.review_function,) if self.reviews_after_sync else ()
                return (naming.sync_function, naming.tag_function, *review)
            case Kind.PRODUCER:
                scan = (naming.scan_function(self.name),) if self.scans else ()
                return (naming.statements_function(self.name), *scan)
            case Kind.CONSUMER:
                return (naming.shares_function(self.name),)

    @property
    def twins(self) -> tuple[str, ...]:
        """Every database that the mesh can share; links carry their names."""
        return tuple(sorted({s.twin_name for domain in self.mesh.domains.values() for s in domain.sources}))


def pattern(mesh: str, what: str) -> str:
    """Pattern of the role names that begin with the mesh's name and `what`, shortened ones included."""
    head = f"{mesh}-{what}-"
    return f"{head[: MAX_ROLE_NAME - _HASHED].rstrip('-_.') if len(head) > MAX_ROLE_NAME - _HASHED else head}*"


def places(declarations: Declarations) -> tuple[Place, ...]:
    """Every account of a mesh, the governance account first. Raises BootstrapError."""
    mesh = declarations.mesh
    found = (
        Place(declarations, Kind.CENTRAL),
        *(Place(declarations, Kind.PRODUCER, name) for name in sorted(mesh.producers)),
        *(Place(declarations, Kind.CONSUMER, name) for name in sorted(mesh.consumers)),
    )
    for place in found:
        taken = [name for name in place.roles if _covers(name, place.deploy_role)]
        if taken:
            raise BootstrapError(
                f"{place.part}: the deploying role {place.deploy_role} has the name of a role that the mesh makes "
                f"({taken[0]}), and could change itself. Give it another name: deployRole in mesh.yaml."
            )
    return found


def _covers(name: str, role: str) -> bool:
    return role.startswith(name[:-1]) if name.endswith("*") else role == name
