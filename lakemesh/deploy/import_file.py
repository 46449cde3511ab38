"""The file for `pulumi import --file` of a stack whose state is lost, from the declarations alone.

Names, parents and providers are those that the program registers; ids are those of AWS's provider (the "Import"
section of each type's page in Pulumi's registry). What the provider cannot import is left to the next `up`: `REMADE`
says for each type why making it once more harms nothing. A type in neither list is an error, so that a new component
cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lakemesh.deploy.recording import Registered

_PROVIDER: Final = "pulumi:providers:"


@dataclass(frozen=True)
class Place:
    """The account that a stack deploys into."""

    account: str
    region: str
    partition: str


@dataclass(frozen=True)
class Unknown:
    """A resource whose id AWS made up; `command` prints it."""

    name: str
    type: str
    command: str


@dataclass(frozen=True)
class ImportFile:
    """What to import, what the next `up` makes once more, and what somebody has to look up first."""

    document: Mapping[str, Any]
    imported: tuple[Registered, ...]
    remade: Mapping[str, tuple[str, ...]]
    """Names by type."""
    unknown: tuple[Unknown, ...]


Inputs = Mapping[str, Any]
# Ids as terraform-provider-aws's importers take them, which Pulumi's provider passes through: templates over a
# resource's inputs and the account it lies in.
IDS: Final[Mapping[str, str]] = {
    "aws:athena/workgroup:Workgroup": "{name}",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "{alarmName}",
    "aws:cloudwatch/dashboard:Dashboard": "{dashboardName}",
    "aws:cloudwatch/eventBus:EventBus": "{name}",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": "{eventBusName}",
    "aws:cloudwatch/eventRule:EventRule": "{eventBusName}/{name}",
    "aws:cloudwatch/eventTarget:EventTarget": "{eventBusName}/{rule}/{targetId}",
    "aws:cloudwatch/logGroup:LogGroup": "{name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "{name}",
    "aws:dynamodb/table:Table": "{name}",
    "aws:glue/catalogDatabase:CatalogDatabase": "{catalogId}:{name}",
    "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings": "{catalogId}",
    "aws:iam/policy:Policy": "arn:{partition}:iam::{account}:policy{path}{name}",
    "aws:iam/role:Role": "{name}",
    "aws:iam/rolePolicy:RolePolicy": "{role}:{name}",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "{role}/{policyArn}",
    "aws:kms/alias:Alias": "{name}",
    "aws:lakeformation/dataCellsFilter:DataCellsFilter": (
        "{tableData[databaseName]},{tableData[name]},{tableData[tableCatalogId]},{tableData[tableName]}"
    ),
    "aws:lakeformation/lfTag:LfTag": "{catalogId}:{key}",
    "aws:lambda/function:Function": "{name}",
    "aws:lambda/permission:Permission": "{function}/{statementId}",
    "aws:s3/bucket:Bucket": "{bucket}",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "{bucket}",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "{bucket}",
    "aws:s3/bucketPolicy:BucketPolicy": "{bucket}",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "{bucket}",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "{bucket}",
    "aws:sns/topic:Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "aws:sns/topicPolicy:TopicPolicy": "{arn}",
    "aws:sqs/queue:Queue": "https://sqs.{region}.{domain}/{account}/{name}",
    "aws:sqs/queuePolicy:QueuePolicy": "{queueUrl}",
}

REMADE: Final[Mapping[str, str]] = {
    "aws:lakeformation/dataLakeSettings:DataLakeSettings": (
        "no importer. Settings are put as a whole; the next up puts what is declared, which is what a central or "
        "consumer stack owns anyway."
    ),
    "aws:lakeformation/permissions:Permissions": (
        "no importer. A grant of what is granted already changes nothing (Lake Formation API, GrantPermissions), and "
        "access is not interrupted. A grant that the mesh has dropped meanwhile is not revoked: look for it."
    ),
    "aws:lakeformation/resource:Resource": (
        "no importer. The provider takes a location that is registered already for registered, and does not change "
        "the role it is registered with."
    ),
    "aws:lakeformation/resourceLfTag:ResourceLfTag": (
        "not importable. Adding a tag that is there already changes nothing (Lake Formation API, AddLFTagsToResource)."
    ),
    "aws:lambda/invocation:Invocation": (
        "its input cannot be read back. The handler runs once more; handlers compare what is wanted with what is there."
    ),
    "aws:sns/topicSubscription:TopicSubscription": (
        "its id is SNS's. Subscribing an address once more gives the subscription that there is (SNS API, Subscribe); "
        "one that nobody confirmed yet is asked again."
    ),
}

# Ids that AWS makes up, with how to find them.
_LOOKUPS: Final[Mapping[str, str]] = {
    "aws:kms/key:Key": (
        "aws kms describe-key --key-id {alias} --region {region} --query KeyMetadata.KeyId --output text"
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        "aws lambda list-event-source-mappings --function-name {function} --region {region} "
        "--query EventSourceMappings[0].UUID --output text"
    ),
}


class UnlistedTypeError(Exception):
    """A type that this module knows nothing about."""


def identifier(type_: str, given: Inputs, at: Place) -> str:
    """The id of a resource; "" for a type whose ids cannot be worked out."""
    domain = "amazonaws.com.cn" if at.partition == "aws-cn" else "amazonaws.com"
    defaults = {
        "account": at.account,
        "catalogId": at.account,
        "domain": domain,
        "eventBusName": "default",
        "partition": at.partition,
        "path": "/",
        "region": at.region,
    }
    return IDS.get(type_, "").format_map({**defaults, **given})


def computed(at: Place) -> Callable[[str, Inputs], Mapping[str, Any]]:
    """Outputs that other resources' ids need, as AWS computes them from names."""

    def outputs(type_: str, given: Inputs) -> Mapping[str, Any]:
        known = identifier(type_, given, at)
        made: dict[str, Any] = {"id": known} if known else {}
        match type_:
            case "aws:iam/role:Role":
                made["arn"] = f"arn:{at.partition}:iam::{at.account}:role{given.get('path', '/')}{given['name']}"
            case "aws:iam/policy:Policy":
                made["arn"] = known
            case "aws:kms/key:Key":
                made |= {"arn": "", "keyId": ""}
            case "aws:lambda/invocation:Invocation":
                made["result"] = "{}"
            case "aws:sns/topic:Topic":
                made["arn"] = known
            case "aws:sqs/queue:Queue":
                made |= {"arn": f"arn:{at.partition}:sqs:{at.region}:{at.account}:{given['name']}", "url": known}
            case "aws:dynamodb/table:Table":
                made["arn"] = f"arn:{at.partition}:dynamodb:{at.region}:{at.account}:table/{given['name']}"
            case "aws:cloudwatch/metricAlarm:MetricAlarm" | "aws:cloudwatch/compositeAlarm:CompositeAlarm":
                made["arn"] = f"arn:{at.partition}:cloudwatch:{at.region}:{at.account}:alarm:{known}"
            case "aws:cloudwatch/eventBus:EventBus":
                made["arn"] = f"arn:{at.partition}:events:{at.region}:{at.account}:event-bus/{given['name']}"
            case "aws:cloudwatch/eventRule:EventRule":
                path = f"{known}".removeprefix("default/")
                made["arn"] = f"arn:{at.partition}:events:{at.region}:{at.account}:rule/{path}"
        return made

    return outputs


def build(registered: tuple[Registered, ...], at: Place, ids: Mapping[str, str]) -> ImportFile:
    """The import file of everything that a stack registered.

    `ids`: ids by logical name that cannot be worked out. Raises UnlistedTypeError for a type that is in no list here.
    """
    imported: list[Registered] = []
    remade: dict[str, list[str]] = {}
    unknown: list[Unknown] = []
    entries: list[tuple[Registered, str]] = []
    for each in registered:
        if not each.custom or each.type.startswith(_PROVIDER):
            continue
        if each.type in REMADE:
            remade.setdefault(each.type, []).append(each.name)
            continue
        found = ids.get(each.name) or identifier(each.type, each.inputs, at)
        if found:
            imported.append(each)
            entries.append((each, found))
        elif each.type in _LOOKUPS:
            unknown.append(Unknown(each.name, each.type, _lookup(each, registered, at)))
        else:
            raise UnlistedTypeError(
                f"{each.name} is an {each.type}, and lakemesh import knows no id for that type. "
                f"Say it yourself: --id {each.name}=<id>"
            )
    return ImportFile(
        {"resources": _resources(registered, entries)},
        tuple(imported),
        {type_: tuple(sorted(names)) for type_, names in sorted(remade.items())},
        tuple(unknown),
    )


def _lookup(made: Registered, registered: tuple[Registered, ...], at: Place) -> str:
    # The alias stands beside its key, in the same component.
    aliases = [
        each.inputs["name"] for each in registered if each.type == "aws:kms/alias:Alias" and each.parent == made.parent
    ]
    return _LOOKUPS[made.type].format(
        alias=aliases[0] if aliases else "<alias>", region=at.region, function=made.inputs.get("functionName")
    )


def _resources(registered: tuple[Registered, ...], entries: list[tuple[Registered, str]]) -> list[dict[str, Any]]:
    """Provider, the components around what is imported, and what is imported.

    `name` is what other entries refer to, and must be unique in the file; a component and what it holds may have one
    logical name, so `name` is the URN's end and `logicalName` the name itself.
    """
    by_urn = {each.urn: each for each in registered}
    needed: set[str] = set()
    for each, _ in entries:
        parent = each.parent
        while parent and parent not in needed:
            needed.add(parent)
            parent = by_urn[parent].parent
    providers = {each.provider for each, _ in entries}
    found = {each.urn: known for each, known in entries}
    made: list[dict[str, Any]] = []
    for each in registered:
        entry: dict[str, Any] = {"type": each.type, "name": _label(each), "logicalName": each.name}
        if each.parent:
            entry["parent"] = _label(by_urn[each.parent])
        if each.urn in providers:
            # What the provider is configured with travels along, so that the file needs no state at all.
            made.append({**entry, "inputs": dict(each.inputs)})
        elif each.urn in needed:
            made.append({**entry, "component": True})
        elif each.urn in found:
            provider = _label(by_urn[each.provider])
            made.append({**entry, "id": found[each.urn], "provider": provider, "inputs": supplied(each.inputs)})
    return made


def supplied(inputs: Inputs) -> dict[str, Any]:
    """Inputs that travel along for what AWS does not tell, such as whether a bucket may be deleted with what is in it.

    `pulumi import` takes AWS's word first. Left out are files, and what is known only once the resource exists.
    """
    return {key: value for key, value in inputs.items() if not key.startswith("__") and _is_known(value)}


def _is_known(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_known, value.values()))
    if isinstance(value, list):
        return all(map(_is_known, value))
    return isinstance(value, bool | int | float) or (isinstance(value, str) and value != "")


def _label(each: Registered) -> str:
    return each.urn.split("::", 2)[2]
