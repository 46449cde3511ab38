"""What the application has to be told, from its environment; every variable is in docs/portal.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PREFIX: Final = "LAKEMESH_PORTAL_"
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
        given = {key.removeprefix(PREFIX): value for key, value in environment.items() if key.startswith(PREFIX)}
        problems = [f"{PREFIX}{name} is not set: {what}." for name, what in _NEEDED.items() if not given.get(name)]
        made = Settings(
            mesh=Path(given.get("MESH", "mesh")),
            url=given.get("URL", "").rstrip("/"),
            secret=given.get("SECRET", ""),
            issuer=given.get("ISSUER", "").rstrip("/"),
            client_id=given.get("CLIENT_ID", ""),
            client_secret=given.get("CLIENT_SECRET", ""),
            groups_claim=given.get("GROUPS_CLAIM", "groups"),
            table=given.get("TABLE", ""),
        )
        problems += made.problems()
        if problems:
            raise SettingsError("\n".join(problems))
        return made

    def problems(self) -> list[str]:
        """What is wrong with values that are set."""
        found = []
        if self.secret and len(self.secret) < LEAST_SECRET:
            found.append(f"{PREFIX}SECRET has {len(self.secret)} characters; use at least {LEAST_SECRET} random ones.")
        for name, address in (("URL", self.url), ("ISSUER", self.issuer)):
            parts = urlsplit(address)
            if address and parts.scheme != "https" and parts.hostname not in LOOPBACK:
                found.append(f"{PREFIX}{name} is {address}: only https is safe beyond this machine.")
        if not self.mesh.is_dir():
            found.append(f"{PREFIX}MESH: there is no directory {self.mesh}.")
        if self.development and urlsplit(self.url).hostname not in LOOPBACK:
            found.append("The development sign-in is for this machine alone: its address must be a loopback one.")
        return found


_NEEDED: Final = {
    "URL": "the address at which people reach the portal, such as https://data.example.com",
    "SECRET": f"at least {LEAST_SECRET} random characters, from your secret store",
    "ISSUER": "the OpenID Connect issuer of your identity provider",
    "CLIENT_ID": "the client that the identity provider knows the portal by",
    "CLIENT_SECRET": "that client's secret, from your secret store",
}
