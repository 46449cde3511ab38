"""A domain of the mesh, in the governance account: locations, twins, tags and grants."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.data_filters import DataFilterArgs, DataFilters
from components.monitoring import DomainMonitoring, DomainMonitoringArgs
from components.permissions import EntryArgs, Grants
from components.registered_locations import Prefix, RegisteredLocations, RegisteredLocationsArgs
from components.table_tags import TableTags, TaggedTable
from components.twin_database import TwinDatabase, TwinDatabaseArgs


class LocationsOfProducer(TypedDict):
    """The prefixes of one producer that a domain draws on."""

    producer: str
    """Name of the producer."""
    role: str
    """Name of the registration role."""
    prefixes: Sequence[Prefix]
    """What is registered."""
    kms_keys: Sequence[str]
    """ARNs of the customer managed keys of the buckets."""


class Twin(TypedDict):
    """A database of the central catalog."""

    name: str
    """Its name."""
    producer: str
    """Name of the producer that it is a copy of."""
    description: str
    """What it is a copy of."""
    digest: str
    """Digest of what the manifest says of this source."""


class TaggedProduct(TypedDict):
    """A data product of the domain."""

    product: str
    """Its name."""
    tables: Sequence[TaggedTable]
    """What its tables are to carry."""


class DomainArgs(TypedDict):
    """Arguments of Domain."""

    domain: str
    """Name of the domain."""
    region: str
    """Region of the mesh."""
    partition: str
    """AWS partition: aws, aws-cn, aws-us-gov."""
    sync_role_arn: str
    """Central's sync role."""
    tag_role_arn: str
    """Central's tag role."""
    review_role_arn: NotRequired[str]
    """Central's role that judges columns, where there is one."""
    sync_function: str
    """Central's function that copies metadata."""
    tag_function: str
    """Central's function that tags."""
    locations: Sequence[LocationsOfProducer]
    """Prefixes to register, by producer."""
    twins: Sequence[Twin]
    """Databases of the domain."""
    products: Sequence[TaggedProduct]
    """Data products of the domain."""
    entries: Sequence[EntryArgs]
    """Every grant on the domain's products, in the governance account."""
    filters: NotRequired[Sequence[DataFilterArgs]]
    """Data cells filters that some of them are on."""
    monitoring: NotRequired[DomainMonitoringArgs]
    """The owners' topic and the alarms about its tables; none where it is left out."""
    permissions_boundary: NotRequired[str]
    """ARN of the managed policy that limits the registration roles."""


class Domain(pulumi.ComponentResource):
    """What one domain owns in the governance account.

    In this order: locations, before tables can point at them; twins with their tags, and the first copy of their
    tables; tags of tables and columns; and grants last, so that nobody is let at a table before it is tagged. Removal
    goes the other way: grants are revoked while the databases still exist, or their RAM shares would be orphaned. Not
    here: settings, ontology and functions, which stack central makes first.
    """

    databases: pulumi.Output[Sequence[str]]
    """Databases of the domain, sorted."""
    registration_role_arns: pulumi.Output[Sequence[str]]
    """Roles through which Lake Formation reads the producers' data."""

    def __init__(self, name: str, args: DomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:Domain", name, {}, opts)
        if monitoring := args.get("monitoring"):
            DomainMonitoring(f"{name}-monitoring", monitoring, pulumi.ResourceOptions(parent=self))
        locations = {each["producer"]: self._locations(name, args, each) for each in args["locations"]}
        twins = {each["name"]: self._twin(name, args, each, locations) for each in args["twins"]}
        tagged = [
            TableTags(
                f"{name}-{product['product']}",
                {"function": args["tag_function"], "product": product["product"], "tables": product["tables"]},
                pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[twins[database] for database in sorted({t["database"] for t in product["tables"]})],
                ),
            )
            for product in args["products"]
        ]
        before: list[pulumi.Resource] = [*twins.values(), *tagged]
        if filters := args.get("filters"):
            before.append(
                DataFilters(
                    f"{name}-filters",
                    {"filters": filters},
                    pulumi.ResourceOptions(parent=self, depends_on=list(twins.values())),
                )
            )
        Grants(
            f"{name}-grants",
            {"entries": args["entries"]},
            pulumi.ResourceOptions(parent=self, depends_on=before),
        )
        self.databases = pulumi.Output.all(*(twin.database for _, twin in sorted(twins.items())))
        self.registration_role_arns = pulumi.Output.all(*(each.role_arn for _, each in sorted(locations.items())))
        self.register_outputs({"databases": self.databases, "registrationRoleArns": self.registration_role_arns})

    def _locations(self, name: str, args: DomainArgs, of: LocationsOfProducer) -> RegisteredLocations:
        given: RegisteredLocationsArgs = {
            "region": args["region"],
            "partition": args["partition"],
            "role": of["role"],
            "prefixes": of["prefixes"],
            "kms_keys": of["kms_keys"],
            "sync_role_arn": args["sync_role_arn"],
        }
        if boundary := args.get("permissions_boundary"):
            given["permissions_boundary"] = boundary
        return RegisteredLocations(f"{name}-{of['producer']}", given, pulumi.ResourceOptions(parent=self))

    def _twin(self, name: str, args: DomainArgs, twin: Twin, locations: dict[str, RegisteredLocations]) -> TwinDatabase:
        given: TwinDatabaseArgs = {
            "twin": twin["name"],
            "description": twin["description"],
            "domain": args["domain"],
            "digest": twin["digest"],
            "sync_role_arn": args["sync_role_arn"],
            "tag_role_arn": args["tag_role_arn"],
            "sync_function": args["sync_function"],
        }
        if review := args.get("review_role_arn"):
            given["review_role_arn"] = review
        after = pulumi.ResourceOptions(parent=self, depends_on=[locations[twin["producer"]]])
        return TwinDatabase(f"{name}-{twin['name']}", given, after)
