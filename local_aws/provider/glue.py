"""Glue: databases (resource links too) and the catalog's encryption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_aws.provider.connection import Connection
from local_aws.provider.resource import At, ResourceType, camel, declared, one, pascal, register, unless
from local_aws.provider.schema import Problem
from local_aws.provider.values import Properties, Unknown

GONE = ("EntityNotFoundException",)


def _permissions(inputs: Properties) -> list[dict[str, Any]]:
    return [
        {
            "Permissions": entry.get("permissions") or [],
            "Principal": {
                "DataLakePrincipalIdentifier": one(entry.get("principal")).get("dataLakePrincipalIdentifier")
            },
        }
        for entry in inputs["createTableDefaultPermissions"]
    ]


def _database_input(inputs: Properties) -> dict[str, Any]:
    wanted: dict[str, Any] = {"Name": inputs["name"]}
    for key, name in (("description", "Description"), ("locationUri", "LocationUri"), ("parameters", "Parameters")):
        if inputs.get(key):
            wanted[name] = inputs[key]
    if inputs.get("targetDatabase"):
        wanted["TargetDatabase"] = pascal(one(inputs["targetDatabase"]))
    # Not given: Glue applies what the account's data lake settings say.
    if inputs.get("createTableDefaultPermissions") is not None:
        wanted["CreateTableDefaultPermissions"] = _permissions(inputs)
    return wanted


@register
class CatalogDatabase(ResourceType):
    kind = "aws:glue/catalogDatabase:CatalogDatabase"
    supported = frozenset({
        "catalogId", "createTableDefaultPermissions", "description", "locationUri", "name", "parameters", "tags",
        "targetDatabase",
    })  # fmt: skip
    immutable = frozenset({"catalogId", "name"})
    named = "name"
    longest_name = 255

    def generated(self, name: str) -> str:
        return name.lower()

    def verify(self, inputs: Properties) -> Iterator[Problem]:
        name = inputs["name"]
        if not isinstance(name, Unknown) and name != name.lower():
            yield "name", "uppercase characters cannot be used: Glue lower-cases database names"

    def create(self, at: At) -> str:
        catalog = at.inputs.get("catalogId") or at.aws.account
        tags = at.tags
        # A tag on a resource link would be a tag on a name; the real provider sends none of its own accord either way.
        at.client("glue").create_database(
            CatalogId=catalog, DatabaseInput=_database_input(at.inputs), **({"Tags": tags} if tags else {})
        )
        return f"{catalog}:{at.inputs['name']}"

    def read(self, at: At) -> Properties | None:
        catalog, _, name = at.id.partition(":")
        found = unless(GONE, lambda: at.client("glue").get_database(CatalogId=catalog, Name=name)["Database"])
        if found is None:
            return None
        defaults = [
            {
                "permissions": entry.get("Permissions", []),
                "principal": {"dataLakePrincipalIdentifier": entry["Principal"]["DataLakePrincipalIdentifier"]},
            }
            for entry in found.get("CreateTableDefaultPermissions") or []
        ]
        arn = f"arn:{at.aws.partition}:glue:{at.aws.region}:{catalog}:database/{name}"
        return {
            "arn": arn,
            "catalogId": catalog,
            "createTableDefaultPermissions": defaults,
            "description": found.get("Description"),
            "locationUri": found.get("LocationUri"),
            "name": name,
            "parameters": found.get("Parameters"),
        }

    def update(self, at: At) -> None:
        catalog, _, name = at.id.partition(":")
        glue = at.client("glue")
        # UpdateDatabase replaces everything: defaults that nobody declared are those that the database has.
        kept = {"createTableDefaultPermissions": at.state.get("createTableDefaultPermissions")}
        glue.update_database(CatalogId=catalog, Name=name, DatabaseInput=_database_input({**kept, **at.inputs}))
        arn = at.state["arn"]
        at.retag(
            lambda keys: glue.untag_resource(ResourceArn=arn, TagsToRemove=keys),
            lambda tags: glue.tag_resource(ResourceArn=arn, TagsToAdd=tags),
        )

    def delete(self, at: At) -> None:
        catalog, _, name = at.id.partition(":")
        unless(GONE, lambda: at.client("glue").delete_database(CatalogId=catalog, Name=name))


@register
class DataCatalogEncryptionSettings(ResourceType):
    kind = "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings"
    supported = frozenset({"catalogId", "dataCatalogEncryptionSettings"})
    immutable = frozenset({"catalogId"})

    def _put(self, aws: Connection, catalog: str, settings: dict[str, Any]) -> None:
        aws.client("glue").put_data_catalog_encryption_settings(
            CatalogId=catalog, DataCatalogEncryptionSettings=settings
        )

    def _wanted(self, inputs: Properties) -> dict[str, Any]:
        settings = one(inputs["dataCatalogEncryptionSettings"])
        password, rest = one(settings.get("connectionPasswordEncryption")), one(settings.get("encryptionAtRest"))
        return {"ConnectionPasswordEncryption": pascal(password), "EncryptionAtRest": pascal(rest)}

    def create(self, at: At) -> str:
        catalog = at.inputs.get("catalogId") or at.aws.account
        self._put(at.aws, catalog, self._wanted(at.inputs))
        return str(catalog)

    def read(self, at: At) -> Properties | None:
        answer = at.client("glue").get_data_catalog_encryption_settings(CatalogId=at.id)
        found = camel(answer["DataCatalogEncryptionSettings"])
        known = {**at.inputs, **at.state}.get("dataCatalogEncryptionSettings")
        return {"catalogId": at.id, "dataCatalogEncryptionSettings": declared(known, found) if known else found}

    def update(self, at: At) -> None:
        self._put(at.aws, at.id, self._wanted(at.inputs))

    def delete(self, at: At) -> None:
        """Back to no encryption, as the real provider does: metadata already encrypted stays readable with its key."""
        self._put(
            at.aws,
            at.id,
            {
                "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False},
                "EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"},
            },
        )
