"""What people declare, as frozen values.

These models say what a declaration *is*; the loader says where it came from and reports every error at once,
and `checks` says what must hold between files. Nothing here reads a file, and nothing here knows AWS calls.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum, unique
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from lakemesh.declarations.governance import Governance as Governance  # noqa: PLC0414 - everybody has it from here
from lakemesh.declarations.levels import Level, Profile, Verification
from lakemesh.declarations.sensitivity import Sensitivity as Sensitivity  # noqa: PLC0414 - everybody has it from here

# Patterns spell their characters out: \d and \w take the digits and letters of every script, AWS takes ASCII. Names
# that become part of ARNs in IAM policies have none of * ? $, which mean something else there.

# AWS account ids keep leading zeros, so they are strings everywhere (a YAML integer would lose them).
AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
# Names that become IAM role, LF-Tag and stack names: LF-Tag keys and values are lower-cased by Lake Formation and at
# most 50 characters (Lake Formation developer guide, "lf-tag-considerations").
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$", max_length=50)]
# Grant ids appear in messages and audit trails only, so they may be longer than what becomes an LF-Tag.
GrantId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[-_.][a-z0-9]+)*$", max_length=120)]
GLUE_NAME: Final = r"""^[^A-Z\s/.:*?$"'`\\{}]{1,255}$"""
# Glue lower-cases database and table names for Hive compatibility (Glue API, "Table", Name).
# No dots: "database.table" must say one thing.
GlueName = Annotated[str, StringConstraints(pattern=GLUE_NAME)]
RoleArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$")]
# The key itself: policies and GetKeyPolicy take no alias (KMS API, GetKeyPolicy, KeyId).
KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$")]
BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
S3Prefix = Annotated[
    str,
    StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/(?:[A-Za-z0-9!_.'()&@=;:+ ,%~-]+/)*$"),
]
TagName = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[a-z0-9][a-z0-9_.:/=+@ -]*$")]
# What IAM allows in a role's name, with the path in front of it (IAM API, CreateRole).
RoleName = Annotated[str, StringConstraints(pattern=r"^(?:[A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$")]
# The short name of a principal: part of `to:` in grants, of a workgroup's name and of an S3 prefix.
PrincipalName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


def _only_days(value: object) -> object:
    """pydantic would read a number as seconds since 1970."""
    if isinstance(value, bool | int | float):
        raise ValueError("a date is written 2026-03-09")  # noqa: TRY004 - pydantic turns ValueErrors into findings
    return value


# GitHub user documentation, "About usernames".
GitHubLogin = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:_[A-Za-z0-9]+)?$")]
# An Ed25519 public key (RFC 8032, 32 bytes) in base64.
SigningKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
# And what a repository's name may hold.
Repository = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9_.-]{1,100}$")]
# Part of the subject that a trust policy compares, so no wildcard: git itself allows neither * nor ? in a branch.
Branch = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$")]
Environment = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,255}$")]
# Role names with a path, and * for the parts that AWS makes up (Control Tower, IAM Identity Center).
RolePattern = Annotated[
    str, StringConstraints(pattern=r"^(?:[A-Za-z0-9_+=,.@*-]+/)*[A-Za-z0-9_+=,.@-][A-Za-z0-9_+=,.@*-]{0,63}$")
]
# EventBridge Scheduler, "Schedule types": only what repeats.
Schedule = Annotated[str, StringConstraints(pattern=r"^(?:rate\([0-9]+ (?:minute|hour|day)s?\)|cron\([^()]+\))$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
# Names of the policy pack's rules, as Pulumi's engine takes them.
PolicyName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$", max_length=100)]
# Names of resources and stacks, with * ? and [] as in a shell.
NamePattern = Annotated[str, StringConstraints(pattern=r"^[^\s]{1,256}$")]
Day = Annotated[dt.date, BeforeValidator(_only_days)]
Count = Annotated[int, Field(strict=True, ge=0)]


class Declaration(BaseModel):
    """Base of every declaration: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


UNREVIEWED: Literal["unreviewed"] = "unreviewed"


@unique
class Access(StrEnum):
    """What a grant lets its principals do; docs/grants.md publishes what each expands to."""

    READ = "read"
    DISCOVER = "discover"


@unique
class Status(StrEnum):
    """Life cycle of a data product, in ODCS's words."""

    PROPOSED = "proposed"
    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@unique
class PolicyStatements(StrEnum):
    """How the statements the mesh needs get into a producer's bucket and key policies."""

    MERGE = "merge"
    PRINT = "print"


# ------------------------------------------------------------------------------------------------ mesh/mesh.yaml
class Organization(Declaration):
    id: Annotated[str, StringConstraints(pattern=r"^o-[a-z0-9]{10,32}$")]
    ram_sharing: bool = Field(default=True, alias="ramSharing", strict=True)
    """Whether RAM sharing with AWS Organizations is on: then no share needs an invitation."""


class Central(Declaration):
    account: AccountId
    administrators: tuple[RoleArn, ...] = ()
    """Data lake administrators beside the deploying role."""
    cross_account_version: Literal[3, 4, 5] = Field(default=4, alias="crossAccountVersion")
    deploy_role: RoleName = Field(default="lakemesh-deploy", alias="deployRole")


class Bucket(Declaration):
    kms_key: KeyArn | None = Field(default=None, alias="kmsKey")
    """Customer-managed key of the bucket (SSE-KMS); its policy must let the registration role decrypt."""


class Producer(Declaration):
    account: AccountId
    owner: Text
    governance: Governance = Governance.IAM
    buckets: dict[BucketName, Bucket] = Field(default_factory=dict)
    catalog_key: KeyArn | None = Field(default=None, alias="catalogKey")
    policy_statements: PolicyStatements = Field(default=PolicyStatements.MERGE, alias="policyStatements")
    scan: Schedule | None = None
    """When a function in this account looks at samples of unreviewed columns; never, where left out."""
    deploy_role: RoleName = Field(default="lakemesh-deploy", alias="deployRole")


class Source(Declaration):
    producer: str
    database: GlueName
    prefixes: tuple[S3Prefix, ...] = Field(min_length=1)
    twin: GlueName | None = None
    """Name of the twin in the central catalog; needed only where two sources share one database name."""

    @property
    def twin_name(self) -> str:
        return self.twin or self.database


class Domain(Declaration):
    title: str = ""
    owner: Text
    approvers: tuple[Text, ...] = Field(min_length=1)
    notify: tuple[Email, ...] | None = None
    """E-mail addresses that hear of its tables' alarms; its approvers where it is left out."""
    sources: tuple[Source, ...] = ()


class ConsumerEntry(Declaration):
    account: AccountId
    owner: Text
    notify: tuple[Email, ...] = ()
    """E-mail addresses that hear of breaking changes to what it reads."""
    deploy_role: RoleName = Field(default="lakemesh-deploy", alias="deployRole")


class MassDelete(Declaration):
    """Above both bounds nothing is deleted and an alarm fires."""

    count: Count = 10
    share: float = Field(default=0.1, ge=0, le=1, strict=True)


class Sync(Declaration):
    refresh: Schedule = "rate(6 hours)"
    grace_period_hours: Count = Field(default=24, alias="gracePeriodHours")
    mass_delete: MassDelete = Field(default_factory=MassDelete, alias="massDelete")


class Classification(Declaration):
    """Review of columns in the governance account."""

    after_sync: bool = Field(default=False, alias="afterSync", strict=True)
    """Whether a function judges new and changed columns from metadata alone, as soon as the sync has written them."""
    refresh: Schedule = "rate(1 day)"
    """When it looks at every twin, and publishes how far the review is."""


class Alerting(Declaration):
    operators: tuple[Email, ...] = ()
    """E-mail addresses that hear of every alarm."""
    runbooks: Annotated[str, StringConstraints(pattern=r"^https://[^\s]+/$")] | None = None
    """Address of the folder of the runbooks, which every alarm links to."""


BY_RULE: Final = "approvals.automatic"
"""`approvedBy` of what a rule of mesh.yaml approved, without a person."""


class Approvals(Declaration):
    """How many people decide about a request of the portal, by the highest sensitivity it would open."""

    automatic: tuple[Sensitivity, ...] = ()
    """Approved by rule, without a person."""
    two: tuple[Sensitivity, ...] = (Sensitivity.RESTRICTED,)
    """Needs two approvers; everything else needs one."""
    longest_days: Count = Field(default=365, alias="longestDays")
    """The longest that access is given for; requests without an end get this one."""
    reminder_days: Count = Field(default=3, alias="reminderDays")
    """Days without a decision after which approvers are reminded, again and again."""
    verification: Verification = Verification.WHEN_POSSIBLE
    """Whether the policy pack takes an approval's word without a review that was looked up."""
    signers: dict[Slug, SigningKey] = Field(default_factory=dict)
    """Public keys, by name, of portals whose signature over a grant counts as its approval."""

    @model_validator(mode="after")
    def _one_rule_a_level(self) -> Approvals:
        both = sorted(set(self.automatic) & set(self.two))
        if both:
            raise ValueError(
                f"{both[0]} is in `automatic` and in `two`, which is [restricted] unless it is written: "
                "take it out of one"
            )
        return self

    def needed(self, level: Sensitivity | None) -> int:
        """Approvers that a sensitivity needs; None: access that opens no data."""
        if level in self.automatic:
            return 0
        return 2 if level in self.two else 1


class Portal(Declaration):
    """Who is what in the portal. Names are e-mail addresses or groups of the identity provider."""

    stewards: tuple[Text, ...] = ()
    """May see every request, revoke, and export the log."""
    members: dict[Slug, tuple[Text, ...]] = Field(default_factory=dict)
    """Who may ask for a consumer's principals, by consumer."""


class Person(Declaration):
    """Somebody whom the declarations name by e-mail address."""

    github: GitHubLogin | None = None
    """Their name on GitHub: a review by it is theirs."""


class Quotas(Declaration):
    """Limits checked before any cloud call; the defaults are AWS's (lf-tag-considerations, API models)."""

    expressions_per_principal: Count = Field(default=50, alias="expressionsPerPrincipal")
    expression_bytes: Count = Field(default=900, alias="expressionBytes")
    values_per_expression: Count = Field(default=50, alias="valuesPerExpression")
    tag_characters: Count = Field(default=50, alias="tagCharacters")
    tags_per_resource: Count = Field(default=50, alias="tagsPerResource")
    values_per_tag: Count = Field(default=1000, alias="valuesPerTag")
    administrators: Count = 30
    filters_per_principal_and_table: Count = Field(default=100, alias="filtersPerPrincipalAndTable")


class GitHub(Declaration):
    """Where GitHub Actions deploys from: `sub` of its OIDC tokens (GitHub, "OpenID Connect reference")."""

    repository: Repository
    branch: Branch = "main"
    """Runs on this branch may deploy, where no environments are named."""
    environments: tuple[Environment, ...] = ()
    """Jobs in these environments may deploy, and nothing else: their reviewers decide."""


class Deployment(Declaration):
    """Who deploys: `lakemesh bootstrap` writes it into the trust of the governance account's deploying role."""

    github: GitHub | None = None
    people: tuple[RoleArn, ...] = ()
    """Roles of the people who may deploy, of whatever account."""
    platform_roles: tuple[RolePattern, ...] = Field(
        default=("AWSControlTowerExecution", "OrganizationAccountAccessRole"), alias="platformRoles"
    )
    """Names of the roles, in any account, that set accounts up and may change what bootstrap made."""


class Policies(Declaration):
    """How the policy pack judges this mesh; docs/policies.md lists its rules."""

    profile: Profile = Profile.STANDARD
    levels: dict[PolicyName, Level] = Field(default_factory=dict)
    """Rules with another level than the profile's."""
    options: dict[PolicyName, dict[str, Any]] = Field(default_factory=dict)
    """A rule's own configuration, such as `include` and `exclude`."""


class Mesh(Declaration):
    """mesh/mesh.yaml: the accounts and who owns what."""

    name: Slug = "lakemesh"
    organization: Organization
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$")]
    central: Central
    producers: dict[Slug, Producer] = Field(default_factory=dict)
    domains: dict[Slug, Domain] = Field(default_factory=dict)
    consumers: dict[Slug, ConsumerEntry] = Field(default_factory=dict)
    sync: Sync = Field(default_factory=Sync)
    alerting: Alerting = Field(default_factory=Alerting)
    classification: Classification = Field(default_factory=Classification)
    approvals: Approvals = Field(default_factory=Approvals)
    people: dict[Text, Person] = Field(default_factory=dict)
    """By the e-mail address that the declarations name them by."""
    portal: Portal = Field(default_factory=Portal)
    deployment: Deployment = Field(default_factory=Deployment)
    policies: Policies = Field(default_factory=Policies)
    quotas: Quotas = Field(default_factory=Quotas)


# ------------------------------------------------------------------------------------------------ mesh/tags.yaml
class TagKey(Declaration):
    description: str = ""
    values: tuple[TagName, ...] = Field(min_length=1)


class Tags(Declaration):
    """mesh/tags.yaml: LF-Tag keys beside the built-in `domain`, `product` and `sensitivity`."""

    tags: dict[TagName, TagKey] = Field(default_factory=dict)


# --------------------------------------------------------------------------- mesh/products/<domain>/*.odcs.yaml
class Column(Declaration):
    name: str
    type: str
    """Physical type as Glue writes it, e.g. `decimal(18,2)` or `struct<street:string>`."""
    sensitivity: Sensitivity | None = None
    """None: not reviewed."""
    personal_data: str | None = None
    partition_key: int | None = None
    """Position among the partition keys, from 1; None: an ordinary column."""
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)


class Table(Declaration):
    """One table of a product. `twin` is the central database it is read in."""

    name: GlueName
    producer: str
    database: GlueName
    twin: GlueName
    description: str = ""
    kind: Literal["table", "view"] = "table"
    columns: tuple[Column, ...]
    tags: dict[str, str] = Field(default_factory=dict)
    """The mesh's own LF-Tags: those of the product, overridden by the table's."""

    @property
    def key(self) -> str:
        """`twin.table`, which is unique in the central catalog."""
        return f"{self.twin}.{self.name}"

    @property
    def partition_keys(self) -> tuple[Column, ...]:
        keys = (column for column in self.columns if column.partition_key is not None)
        return tuple(sorted(keys, key=lambda column: column.partition_key or 0))


class ServiceLevel(Declaration):
    property: str
    value: str
    unit: str = ""


class Product(Declaration):
    """One data product: what lakemesh needs of one ODCS contract."""

    name: Slug
    domain: str
    version: str
    status: Status
    title: str = ""
    description: str = ""
    deprecated_since: dt.date | None = None
    """Day of the deprecation: grants approved later are refused."""
    discoverable_by: tuple[str, ...] | None = None
    """Consumers whose people find it in the portal, beside its own domain's; None: everybody who may sign in."""
    tables: tuple[Table, ...]
    service_levels: tuple[ServiceLevel, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)


# ------------------------------------------------------------------------------------ mesh/grants/<domain>.yaml
EVERY_TABLE: Final = "*"
"""In place of a table's name: `rows` written as one text, for every table of the product."""


def _rows_of_every_table(value: object) -> object:
    return {EVERY_TABLE: value} if isinstance(value, str) else value


_RowFilter = Annotated[str, StringConstraints(min_length=1)]
Rows = Annotated[
    dict[str, _RowFilter],
    BeforeValidator(_rows_of_every_table),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]
_Named = Annotated[tuple[str, ...], Field(min_length=1)]


class Grant(Declaration):
    id: GrantId
    product: str | None = None
    tags: dict[str, tuple[str, ...]] | None = None
    """LF-Tag expression over the domain's tables; `domain` is added by the expansion."""
    to: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*(?:/[A-Za-z0-9_.-]+)?$")]
    """A consumer (account path) or consumer/principal (direct path)."""
    access: Access = Access.READ
    sensitivity: tuple[Sensitivity | Literal["unreviewed"], ...] = ()
    """Sensitivities it may read. `unreviewed` parses, so that it can be refused with its reason."""
    columns: dict[str, _Named] | None = None
    """By table of the product: the columns that it shows, and no others."""
    exclude: dict[str, _Named] | None = None
    """By table of the product: columns that it does not show."""
    rows: Rows | None = None
    """By table of the product: a condition that rows must meet; under EVERY_TABLE one for all of them."""
    purpose: Text
    requested_by: Text = Field(alias="requestedBy")
    approved_by: Text | Annotated[tuple[Text, ...], Field(min_length=1)] = Field(alias="approvedBy")
    """One approver, several, or `BY_RULE`."""
    approved_at: Day = Field(alias="approvedAt")
    ticket: Text
    expires: Day | None = None

    @property
    def consumer(self) -> str:
        return self.to.partition("/")[0]

    @property
    def principal(self) -> str | None:
        return self.to.partition("/")[2] or None

    @property
    def approvers(self) -> tuple[str, ...]:
        return (self.approved_by,) if isinstance(self.approved_by, str) else self.approved_by

    @property
    def filtered(self) -> bool:
        """Whether it is made by data filters and not by an LF-Tag expression."""
        return any(each is not None for each in (self.columns, self.exclude, self.rows))


class Grants(Declaration):
    grants: tuple[Grant, ...] = ()


# --------------------------------------------------------------------------- mesh/consumers/<consumer>.yaml
class Principal(Declaration):
    role: RoleArn
    description: str = ""


class Assignment(Declaration):
    grant: str
    principals: tuple[str, ...] = Field(min_length=1)


class Consumer(Declaration):
    """mesh/consumers/<consumer>.yaml: the consumer's principals and which of them use what its account was granted."""

    account: AccountId
    administrators: tuple[RoleArn, ...] = ()
    principals: dict[PrincipalName, Principal] = Field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()


# ------------------------------------------------------------------------------------------ mesh/exceptions.yaml
class PolicyException(Declaration):
    """One rule of the policy pack, waived for some resources: why, by whom, and until when."""

    rule: PolicyName
    resource: NamePattern
    """Pattern of Pulumi's names of resources."""
    stack: NamePattern = "*"
    """Pattern of names of stacks."""
    reason: Text
    owner: Text
    approver: Text
    expires: Day
    """The first day without it."""


class Exceptions(Declaration):
    """mesh/exceptions.yaml: what the policy pack does not hold against this mesh for a while."""

    exceptions: tuple[PolicyException, ...] = ()


# ------------------------------------------------------------------------------------------------ all of it
class Declarations(Declaration):
    """A whole mesh directory that loaded without an error."""

    mesh: Mesh
    tags: dict[str, TagKey]
    """Whole ontology: the built-in keys and the mesh's own, by key."""
    products: dict[str, Product]
    grants: dict[str, tuple[Grant, ...]]
    """By domain."""
    consumers: dict[str, Consumer]
    exceptions: tuple[PolicyException, ...] = ()
    rejected: tuple[str, ...] = ()
    """Columns (`twin.table.column`) whose recommendation somebody rejected: they wait for nobody."""
