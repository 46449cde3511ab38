"""What the application has to be told, from its environment; every variable is in docs/portal.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

LEAST_SECRET: Final = 32
"""Characters of the secret that signs sessions."""
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsError(Exception):
    """The application cannot start so; the text names each variable and what to set."""


@dataclass(frozen=True)
class Settings:
    """One portal."""

    mesh: Path
    url: str
    """Where people reach it, without a slash at the end."""
    secret: str
    """Signs sessions. Whoever has it can be anybody."""
    issuer: str
    client_id: str
    client_secret: str
    groups_claim: str = "groups"
    table: str = ""
    """Of the event log; empty: as the mesh names it."""
    development: bool = False
    """Its own identity provider, for one machine: whoever reaches it is whoever they say."""

    @property
    def https(self) -> bool:
        return self.url.startswith("https://")

    @staticmethod
    def of(environment: Mapping[str, str]) -> Settings:
        """From environment variables. Raises SettingsError that names everything that is missing or wrong."""
        given = environment.get
        problems = [f"{name} is not set: {what}." for name, what in _NEEDED.items() if not given(name)]
        made = Settings(
            mesh=Path(given("LAKEMESH_PORTAL_MESH") or "mesh"),
            url=given("LAKEMESH_PORTAL_URL", "").rstrip("/"),
            secret=given("LAKEMESH_PORTAL_SECRET", ""),
            issuer=given("LAKEMESH_PORTAL_ISSUER", "").rstrip("/"),
            client_id=given("LAKEMESH_PORTAL_CLIENT_ID", ""),
            client_secret=given("LAKEMESH_PORTAL_CLIENT_SECRET", ""),
            groups_claim=given("LAKEMESH_PORTAL_GROUPS_CLAIM") or "groups",
            table=given("LAKEMESH_PORTAL_TABLE", ""),
        )
        problems += made.problems()
        if problems:
            raise SettingsError("\n".join(problems))
        return made

    def problems(self) -> list[str]:
        """What is wrong with values that are set."""
        found = []
        if self.secret and len(self.secret) < LEAST_SECRET:
            found.append(
                f"LAKEMESH_PORTAL_SECRET has {len(self.secret)} characters; use at least {LEAST_SECRET} random ones."
            )
        for name, address in (("LAKEMESH_PORTAL_URL", self.url), ("LAKEMESH_PORTAL_ISSUER", self.issuer)):
            parts = urlsplit(address)
            if address and parts.scheme != "https" and parts.hostname not in LOOPBACK:
                found.append(f"{name} is {address}: only https is safe beyond this machine.")
        if not self.mesh.is_dir():
            found.append(f"LAKEMESH_PORTAL_MESH: there is no directory {self.mesh}.")
        if self.development and urlsplit(self.url).hostname not in LOOPBACK:
            found.append("The development sign-in is for this machine alone: its address must be a loopback one.")
        return found


_NEEDED: Final = {
    "LAKEMESH_PORTAL_URL": "the address at which people reach the portal, such as https://data.example.com",
    "LAKEMESH_PORTAL_SECRET": f"at least {LEAST_SECRET} random characters, from your secret store",
    "LAKEMESH_PORTAL_ISSUER": "the OpenID Connect issuer of your identity provider",
    "LAKEMESH_PORTAL_CLIENT_ID": "the client that the identity provider knows the portal by",
    "LAKEMESH_PORTAL_CLIENT_SECRET": "that client's secret, from your secret store",
}
