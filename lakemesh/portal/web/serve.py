"""One portal on this machine, with its own sign-in: what `lakemesh portal` serves, and what tests ask."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from lakemesh.portal.service import Portal
from lakemesh.portal.web import development
from lakemesh.portal.web.app import create
from lakemesh.portal.web.settings import Settings

HOST: Final = "127.0.0.1"


def local_settings(mesh: Path, port: int) -> Settings:
    """Settings of a portal for this machine: secrets of its own that end with it."""
    url = f"http://{HOST}:{port}"
    return Settings(
        mesh=mesh,
        url=url,
        secret=secrets.token_urlsafe(32),
        issuer=f"{url}{development.PATH}",
        client_id="lakemesh-portal",
        client_secret=secrets.token_urlsafe(32),
        development=True,
    )


def local(portal: Portal, mesh: Path, port: int) -> FastAPI:
    """The application for this machine alone."""
    return create(portal, local_settings(mesh, port))
