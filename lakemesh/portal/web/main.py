"""What an ASGI server is given: `uvicorn --factory lakemesh.portal.web.main:application`."""

from __future__ import annotations

import os
import sys

from fastapi import FastAPI

from lakemesh.portal.at import portal_of
from lakemesh.portal.web.app import create
from lakemesh.portal.web.settings import Settings, SettingsError


def application() -> FastAPI:
    """The portal that the environment describes. Exits with code 2 and what to set where it describes none; raises
    InvalidMeshError."""
    try:
        settings = Settings.of(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"The portal cannot start.\n{error}\n")
        raise SystemExit(2) from None
    return create(portal_of(settings.mesh, settings.table), settings)
