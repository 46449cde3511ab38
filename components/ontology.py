"""The LF-Tags of the mesh."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.permissions import grant


class OntologyArgs(TypedDict):
    """Arguments of Ontology."""

    tags: Mapping[str, Sequence[str]]
    """Values by LF-Tag key. A key without values cannot be made and is left out."""
    tag_role_arn: pulumi.Input[str]
    """The role that puts LF-Tags on tables and columns."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete a key."""


class Ontology(pulumi.ComponentResource):
    """Every LF-Tag key with its values, and the tag role's right to describe and associate them.

    Keys are protected: DeleteLFTag does not refuse while a key is in use, it revokes every grant that names it in
    silence. Nobody outside the account ever gets DESCRIBE on an LF-Tag: with it an account may grant expressions that
    were never shared with it (Lake Formation developer guide, "cross-account-cascading-permissions").
    """

    keys: pulumi.Output[Sequence[str]]
    """The LF-Tag keys, sorted."""

    def __init__(self, name: str, args: OntologyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("lakemesh:index:Ontology", name, {}, opts)
        tags = {key: sorted(set(values)) for key, values in sorted(args["tags"].items()) if values}
        for key, values in tags.items():
            tag = aws.lakeformation.LfTag(
                f"{name}-{key}",
                key=key,
                values=values,
                opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect", True)),
            )
            grant(
                f"{name}-{key}-tag-role",
                principal=args["tag_role_arn"],
                permissions=["ASSOCIATE", "DESCRIBE"],
                # All values: a grant may name at most 50, and a new product must not replace this grant.
                on={"lf_tag": {"key": tag.key, "values": ["*"]}},
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.keys = pulumi.Output.from_input(list(tags))
        self.register_outputs({"keys": self.keys})
