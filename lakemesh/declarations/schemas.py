"""JSON Schemas of every file that people edit and of the manifest, for editors and other programs.

`python -m lakemesh.declarations.schemas [DIRECTORY]` writes them into `schemas/`; a test keeps them current. A schema
says less than `lakemesh validate`: what must hold between files is no matter of a schema.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from lakemesh.declarations.models import UNREVIEWED, Consumer, Exceptions, Grants, Mesh, Sensitivity, Status, Tags
from lakemesh.declarations.recommendations import Recommendations

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
Json = dict[str, Any]

_ACCOUNT: Final[Json] = {"type": "string", "pattern": "^[0-9]{12}$"}
_DIGEST: Final[Json] = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_TEXT: Final[Json] = {"type": "string"}
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}
_TAGS: Final[Json] = {"type": "object", "additionalProperties": _TEXT}


def schemas() -> dict[str, Json]:
    """Every schema by its file name."""
    return {
        "mesh.schema.json": _of(Mesh, "mesh.schema.json", "mesh.yaml: the accounts and who owns what"),
        "tags.schema.json": _of(Tags, "tags.schema.json", "tags.yaml: the mesh's own LF-Tags"),
        "exceptions.schema.json": _of(
            Exceptions,
            "exceptions.schema.json",
            "exceptions.yaml: rules of the policy pack that are waived for a while",
        ),
        "recommendations.schema.json": _of(
            Recommendations,
            "recommendations.schema.json",
            "recommendations/<domain>.yaml: what is recommended for unreviewed columns, and what people decided",
        ),
        "grants.schema.json": _grants(),
        "consumer.schema.json": _of(
            Consumer, "consumer.schema.json", "consumers/<consumer>.yaml: principals, assignments"
        ),
        "contract.schema.json": _contract(),
        "manifest.schema.json": _manifest(),
    }


def text_of(schema: Json) -> str:
    """A schema as it is written to its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write(directory: Path) -> list[Path]:
    """Write every schema into `directory` and return the files."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, schema in schemas().items():
        path = directory / name
        path.write_text(text_of(schema), encoding="utf-8")
        written.append(path)
    return written


def _of(model: type[BaseModel], name: str, title: str) -> Json:
    schema = model.model_json_schema(by_alias=True)
    _close(schema)
    return {"$schema": DIALECT, "$id": name, **schema, "title": title}


def _close(schema: Any) -> None:
    """Names that do not match are refused: JSON Schema lets what no pattern speaks of pass."""
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _close(value)
    if isinstance(schema, dict) and "patternProperties" in schema:
        schema["additionalProperties"] = False


def _grants() -> Json:
    schema = _of(Grants, "grants.schema.json", "grants/<domain>.yaml: what a domain lets others do with its products")
    grant = schema["$defs"]["Grant"]
    # The model reads `unreviewed`, so that it can be refused with the reason; an editor should not offer it.
    grant["properties"]["sensitivity"] = {
        "type": "array",
        "items": {"enum": [value.value for value in Sensitivity]},
        "uniqueItems": True,
        "description": "Sensitivities it may read.",
    }
    grant["oneOf"] = [{"required": ["product"]}, {"required": ["tags"]}]
    return schema


def _object(required: dict[str, Json], optional: dict[str, Json] | None = None, *, closed: bool = False) -> Json:
    schema: Json = {"type": "object", "properties": {**required, **(optional or {})}, "required": sorted(required)}
    return schema | ({"additionalProperties": False} if closed else {})


def _map(of: Json) -> Json:
    return {"type": "object", "additionalProperties": of}


# --------------------------------------------------------------------------------------------------------- contracts
def _contract() -> Json:
    """What lakemesh reads of a contract; the standard's own schema says the rest."""
    custom: Json = {
        "type": "array",
        "items": _object({"property": _TEXT}, {"value": {}}),
        "description": "Read are: lfTags (a mapping), server, personalData, deprecatedSince.",
    }
    column: Json = _object(
        {"name": _TEXT},
        {
            "physicalName": _TEXT,
            "physicalType": _TEXT,
            "logicalType": _TEXT,
            "classification": {
                "enum": [*(value.value for value in Sensitivity), UNREVIEWED],
                "description": "The column's sensitivity. Left out, the column is unreviewed and readable by nobody.",
            },
            "partitioned": {"type": "boolean"},
            "partitionKeyPosition": {"type": "integer"},
            "customProperties": custom,
            "properties": {"type": "array", "items": {"type": "object"}},
        },
    )
    table: Json = _object(
        {"name": _TEXT},
        {
            "physicalName": _TEXT,
            "physicalType": {"type": "string", "description": "A type with the word view in it is a view."},
            "customProperties": custom,
            "properties": {"type": "array", "items": column},
        },
    )
    server: Json = {
        **_object({"server": _TEXT, "type": _TEXT}),
        "if": {"properties": {"type": {"const": "glue"}}},
        "then": {
            "required": ["account", "database"],
            "properties": {"account": _ACCOUNT, "database": _TEXT, "location": _TEXT, "format": _TEXT},
        },
    }
    contract = _object(
        {
            "apiVersion": {"type": "string", "pattern": r"^v3\.[012]\.[0-9]+$"},
            "kind": {"const": "DataContract"},
            "id": _TEXT,
            "version": {"type": ["string", "number"]},
        },
        {
            "name": _TEXT,
            "domain": _TEXT,
            "status": {"enum": [status.value for status in Status]},
            "servers": {"type": "array", "items": server},
            "schema": {"type": "array", "items": table},
            "customProperties": custom,
        },
    )
    title = "products/<domain>/<product>.odcs.yaml: what lakemesh reads of an ODCS v3 contract"
    return {"$schema": DIALECT, "$id": "contract.schema.json", "title": title, **contract}


# ---------------------------------------------------------------------------------------------------------- manifest
def _manifest() -> Json:
    sensitivity: Json = {"enum": [*(value.value for value in Sensitivity), None]}
    column = _object(
        {
            "name": _TEXT,
            "type": _TEXT,
            "sensitivity": sensitivity,
            "personalData": {"type": ["string", "null"]},
            "partitionKey": {"type": ["integer", "null"], "minimum": 1},
            "tags": _TAGS,
        },
        closed=True,
    )
    table = _object(
        {
            "domain": _TEXT,
            "product": _TEXT,
            "producer": _TEXT,
            "database": _TEXT,
            "twin": _TEXT,
            "table": _TEXT,
            "kind": {"enum": ["table", "view"]},
            "tags": _TAGS,
            "columns": {"type": "array", "items": column},
            "digest": _DIGEST,
        },
        closed=True,
    )
    source = _object(
        {
            "domain": _TEXT,
            "producer": _TEXT,
            "database": _TEXT,
            "prefixes": _TEXTS,
            "tables": _TEXTS,
            "digest": _DIGEST,
        },
        closed=True,
    )
    producer = _object(
        {
            "account": _ACCOUNT,
            "governance": {"enum": ["iam", "lake-formation"]},
            "readerRole": _TEXT,
            "externalId": _TEXT,
            "catalogKey": {"type": ["string", "null"]},
            "stack": _TEXT,
        },
        closed=True,
    )
    administered = _object({"account": _ACCOUNT, "administrators": _TEXTS, "deployRole": _TEXT}, closed=True)
    manifest = _object(
        {
            "version": {"const": 1},
            "mesh": _TEXT,
            "region": _TEXT,
            "partition": _TEXT,
            "organization": _TEXT,
            "digest": _DIGEST,
            "central": administered,
            "producers": _map(producer),
            "consumers": _map(administered),
            "ontology": _map(_TEXTS),
            "domains": _map(_object({"owner": _TEXT, "approvers": _TEXTS, "stack": _TEXT}, closed=True)),
            "sources": _map(source),
            "tables": _map(table),
            "products": _map(
                _object(
                    {
                        "domain": _TEXT,
                        "version": _TEXT,
                        "status": {"enum": [status.value for status in Status]},
                        "maxAgeSeconds": {"type": ["integer", "null"], "minimum": 1},
                    },
                    closed=True,
                )
            ),
            "grants": {"type": "array", "items": _manifest_grant()},
            "approvals": _object({"automatic": _TEXTS}, closed=True),
            "thresholds": _object(
                {
                    "gracePeriodHours": {"type": "integer", "minimum": 0},
                    "massDelete": _object(
                        {
                            "count": {"type": "integer", "minimum": 0},
                            "share": {"type": "number", "minimum": 0, "maximum": 1},
                        },
                        closed=True,
                    ),
                },
                closed=True,
            ),
        },
        closed=True,
    )
    title = "manifest.json: what the Lambda handlers and the policy pack read"
    return {"$schema": DIALECT, "$id": "manifest.schema.json", "title": title, **manifest}


def _manifest_grant() -> Json:
    return _object(
        {
            "id": _TEXT,
            "domain": _TEXT,
            "product": {"type": ["string", "null"]},
            "products": _TEXTS,
            "tags": {"anyOf": [_map(_TEXTS), {"type": "null"}]},
            "to": _TEXT,
            "access": {"enum": ["read", "discover"]},
            "sensitivity": {"type": "array", "items": {"enum": [value.value for value in Sensitivity]}},
            "expires": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            "approvedBy": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
            "ticket": _TEXT,
        },
        closed=True,
    )


if __name__ == "__main__":
    for file in write(Path(sys.argv[1] if len(sys.argv) > 1 else "schemas")):
        sys.stdout.write(f"{file}\n")
