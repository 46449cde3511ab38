"""GitHub's pages, through its own CLI `gh`, which knows the token and the server."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

DRIFT_LABEL: Final = "lakemesh-drift"
DRIFT_TITLE: Final = "The mesh has drifted from what is declared"


class GitHubError(Exception):
    """GitHub, or gh, refused; the text is what it said."""


@dataclass(frozen=True)
class GitHub:
    """One repository."""

    repository: str
    """As owner/name."""

    def comment(self, number: int, marker: str, body: str) -> str:
        """Put a comment on a pull request: the one that carries `marker` is changed, or a new one made.

        Returns "changed" or "made". A comment of a person is never touched, even if it quotes the marker.
        """
        path = f"repos/{self.repository}/issues/{number}/comments"
        for comment in self._each(path):
            if comment["bot"] and str(comment["body"]).startswith(marker):
                self._api("PATCH", f"repos/{self.repository}/issues/comments/{comment['id']}", {"body": body})
                return "changed"
        self._api("POST", path, {"body": body})
        return "made"

    def issue(self, marker: str, body: str, *, wanted: bool) -> str:
        """Have one open issue about drift, or none. Returns made, changed, closed or nothing."""
        path = f"repos/{self.repository}/issues"
        found = next(
            (
                issue
                for issue in self._each(f"{path}?state=open&labels={DRIFT_LABEL}")
                if issue["bot"] and str(issue["body"]).startswith(marker)
            ),
            None,
        )
        if found is None and not wanted:
            return "nothing"
        if found is None:
            self._api("POST", path, {"title": DRIFT_TITLE, "body": body, "labels": [DRIFT_LABEL]})
            return "made"
        change = {"body": body} if wanted else {"body": body, "state": "closed", "state_reason": "completed"}
        self._api("PATCH", f"{path}/{found['number']}", change)
        return "changed" if wanted else "closed"

    def sarif(self, text: str, commit: str, ref: str) -> None:
        """Upload findings to code scanning (GitHub REST API, "Upload an analysis as SARIF data")."""
        packed = base64.b64encode(gzip.compress(text.encode())).decode()
        self._api(
            "POST",
            f"repos/{self.repository}/code-scanning/sarifs",
            {"commit_sha": commit, "ref": ref, "sarif": packed, "tool_name": "lakemesh"},
        )

    # ---------------------------------------------------------------------------------------------------- calls
    def _each(self, path: str) -> list[dict[str, Any]]:
        """Comments or issues, all pages: id, number, body, and whether a bot wrote them."""
        query = '.[] | {id, number, body: (.body // ""), bot: (.user.type == "Bot")} | tojson'
        joint = "&" if "?" in path else "?"
        said = self._gh(["api", "--paginate", "--jq", query, f"{path}{joint}per_page=100"])
        return [json.loads(line) for line in said.splitlines() if line.strip()]

    def _api(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        # On stdin: a body is larger than a command line may be, and a value beginning with @ would name a file.
        self._gh(["api", "--method", method, "--silent", "--input", "-", path], json.dumps(body))

    @staticmethod
    def _gh(arguments: list[str], given: str | None = None) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - no shell
                ["gh", *arguments],  # noqa: S607 - wherever the runner has it
                input=given,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise GitHubError(f"GitHub's CLI gh cannot be run: {error}") from error
        if done.returncode != 0:
            raise GitHubError((done.stderr.strip() or done.stdout.strip() or "gh said nothing")[-2000:])
        return done.stdout
