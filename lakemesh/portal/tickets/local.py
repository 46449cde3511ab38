"""A list of tickets in a file beside the mesh: what a mesh without a ticket system has. One JSON document a line."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakemesh.portal.requests.model import Request
from lakemesh.portal.tickets.ticket import TicketError


class LocalTickets:
    """Tickets named after their requests. Safe to use from several processes of one machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, request: Request, title: str, lines: Sequence[str]) -> str:
        """Raises TicketError where the file cannot be written."""
        self._append({"ticket": request.id, "title": title, "lines": list(lines), "closed": False})
        return request.id

    def tell(self, request: Request, lines: Sequence[str], closed: bool) -> None:
        """Raises TicketError where the file cannot be written."""
        self._append({"ticket": request.id, "lines": list(lines), "closed": closed})

    def every(self) -> dict[str, dict[str, Any]]:
        """Tickets by name, each with its title, all its lines, and whether it is closed."""
        found: dict[str, dict[str, Any]] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            entry = json.loads(line)
            ticket = found.setdefault(entry["ticket"], {"title": "", "lines": [], "closed": False})
            ticket["title"] = entry.get("title") or ticket["title"]
            ticket["lines"] += entry["lines"]
            ticket["closed"] = entry["closed"]
        return found

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Readable by its owner alone: purposes can say more than everybody on the machine should read.
            with os.fdopen(
                os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
            ) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            raise TicketError(f"{self.path}: {error.strerror}") from error
