"""A pull request on GitHub (REST API: "Git references", "Repository contents", "Pulls").

Every step may be repeated: a branch, a file or a pull request that is there already is taken for done, so an answer
that was lost makes nothing twice. The token needs to write contents and pull requests of this repository, and no more.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import httpx

from lakemesh.portal.provision.repository import Change, RefusedByRepositoryError, UnreachableError

_EXISTS: Final = 422
_MISSING: Final = 404
_OTHER_VERSION: Final = 409
_BUSY: Final = (403, 429)
_SERVER: Final = 500


class GitHubRepository:
    """One repository, its branch that is deployed, and the mesh directory in it."""

    def __init__(self, http: httpx.Client, repository: str, branch: str = "main", mesh: str = "mesh") -> None:
        """`repository`: as owner/name. `http`: `lakemesh.portal.tickets.github.client`."""
        self._http = http
        self._path = f"/repos/{repository}"
        self._owner = repository.partition("/")[0]
        self._branch = branch
        self._mesh = mesh

    def propose(self, change: Change) -> str:
        """A pull request; `#7`."""
        there = self._pull(change.branch)
        if there is not None:
            return f"#{there}"
        base = self._get(f"/git/ref/heads/{self._branch}")["object"]["sha"]
        made = self._call("POST", "/git/refs", {"ref": f"refs/heads/{change.branch}", "sha": base}, allow=(_EXISTS,))
        if made.status_code == _EXISTS:  # of an earlier try: begin again from what is deployed now
            self._call("PATCH", f"/git/refs/heads/{change.branch}", {"sha": base, "force": True})
        for file, edit in change.files.items():
            self._file(change, f"{self._mesh}/{file}", edit)
        body = {"title": change.title, "body": change.body, "head": change.branch, "base": self._branch}
        return f"#{self._call('POST', '/pulls', body).json()['number']}"

    def merged(self, proposal: str) -> bool:
        """Whether the pull request is merged. Raises RefusedByRepositoryError where it was closed without."""
        pull = self._get(f"/pulls/{proposal.removeprefix('#')}")
        if pull["merged"]:
            return True
        if pull["state"] == "closed":
            raise RefusedByRepositoryError(f"Pull request {proposal} was closed without merging it.")
        return False

    def _pull(self, branch: str) -> int | None:
        pulls = self._get(f"/pulls?head={self._owner}:{branch}&state=open")
        return int(pulls[0]["number"]) if pulls else None

    def _file(self, change: Change, path: str, edit: Any) -> None:
        answer = self._call("GET", f"/contents/{path}?ref={change.branch}", allow=(_MISSING,))
        there = answer.json() if answer.status_code != _MISSING else None
        before = base64.b64decode(there["content"]).decode() if there else ""
        after = edit(before)
        if after == before:
            return
        body: dict[str, Any] = {"message": change.title, "branch": change.branch}
        if there:
            body["sha"] = there["sha"]
        if not after:
            self._call("DELETE", f"/contents/{path}", body)
            return
        body["content"] = base64.b64encode(after.encode()).decode()
        answer = self._call("PUT", f"/contents/{path}", body, allow=(_OTHER_VERSION,))
        if answer.status_code == _OTHER_VERSION:
            raise UnreachableError(f"{path} changed while it was written")

    def _get(self, path: str) -> Any:
        return self._call("GET", path).json()

    def _call(self, method: str, path: str, body: Any = None, allow: tuple[int, ...] = ()) -> httpx.Response:
        try:
            answer = self._http.request(method, f"{self._path}{path}", json=body)
        except httpx.HTTPError as error:
            raise UnreachableError(f"GitHub does not answer: {type(error).__name__}") from error
        if answer.is_success or answer.status_code in allow:
            return answer
        said = f"GitHub answered {answer.status_code} to {method} {path.partition('?')[0]}: {_message(answer)}"
        if answer.status_code >= _SERVER or (answer.status_code in _BUSY and "rate limit" in said.lower()):
            raise UnreachableError(said)
        raise RefusedByRepositoryError(said)


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("message", ""))[:200]
    except (ValueError, AttributeError):
        return "no message"
