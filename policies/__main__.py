"""The policy pack as Pulumi starts it: assembles the rules and serves them.

Creating a PolicyPack starts a server and blocks for ever, so nothing imports this module.
"""

from __future__ import annotations

from guardrails.decode_once import decode_once
from guardrails.pack import policies
from pulumi_policy import PolicyPack

decode_once()
PolicyPack(
    name="lakemesh-guardrails",
    display_name="Lake Formation guardrails",
    description="Governance of AWS Lake Formation, the Glue Data Catalog and what surrounds them.",
    provider="aws",
    tags=["lake-formation", "glue", "data-governance"],
    policies=policies(),
)
