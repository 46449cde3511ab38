"""Who reviewed what on GitHub, through its REST API.

Only what a token of a workflow may read with `pull-requests: read` and `contents: read`. A review is of one commit, and
GitHub keeps that commit's files for as long as it knows it, also after the branch was pushed anew with another history.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

API: Final = "https://api.github.com"
_VERSION: Final = "2022-11-28"
_SECONDS: Final = 20.0
_NOT_FOUND: Final = 404
_UNAUTHORIZED: Final = 401
_LIMITED: Final = frozenset({403, 429})
_DECIDES: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
"""States that replace the reviewer's earlier one; a comment does not (GitHub, "About pull request reviews")."""
_NEXT: Final = re.compile(r'<([^>]+)>;\s*rel="next"')


class HostError(Exception):
    """GitHub cannot be asked; the text says why and what to do."""


@dataclass(frozen=True)
class Pull:
    """A pull request that is open, or was merged."""

    number: int
    base: str
    """Commit that it is compared with."""


@dataclass(frozen=True)
class Opinion:
    """What a reviewer thinks of a pull request in the end. `state`: APPROVED, CHANGES_REQUESTED or DISMISSED."""

    state: str
    commit: str


@dataclass
class Reviews:
    """One repository's. `repository`: as owner/name. `api`: another for GitHub Enterprise Server. Remembers answers."""

    repository: str
    token: str = field(repr=False)
    api: str = API
    _opinions: dict[int, Mapping[str, Opinion]] = field(default_factory=dict)
    _files: dict[tuple[str, str], bytes | None] = field(default_factory=dict)

    def commits(self, path: str, revision: str) -> Iterator[str]:
        """Commits that changed a file, the newest first ("List commits")."""
        query = urllib.parse.urlencode({"path": path, "sha": revision, "per_page": 100})
        for each in self._pages(f"/commits?{query}"):
            yield str(each["sha"])

    def pulls(self, commit: str) -> Iterator[Pull]:
        """Pull requests that brought a commit ("List pull requests associated with a commit")."""
        for each in self._pages(f"/commits/{commit}/pulls?per_page=100"):
            if found := _pull(each):
                yield found

    def pull(self, number: int) -> Pull | None:
        """A pull request ("Get a pull request"); None for one that was closed without a merge, or is not there."""
        found = self._get(f"/pulls/{number}")
        return _pull(json.loads(found)) if found is not None else None

    def opinions(self, number: int) -> Mapping[str, Opinion]:
        """Reviewers' last opinion of a pull request, by lower-cased login ("List reviews": in chronological order)."""
        if number not in self._opinions:
            found: dict[str, Opinion] = {}
            for each in self._pages(f"/pulls/{number}/reviews?per_page=100"):
                login = str((each.get("user") or {}).get("login", "")).casefold()
                if each["state"] in _DECIDES and login:
                    found[login] = Opinion(each["state"], str(each.get("commit_id") or ""))
            self._opinions[number] = found
        return self._opinions[number]

    def file(self, path: str, commit: str) -> bytes | None:
        """A file as it was at a commit ("Get repository content"); None where it, or the commit, is not there."""
        if (path, commit) not in self._files:
            query = urllib.parse.urlencode({"ref": commit})
            where = f"/contents/{urllib.parse.quote(path)}?{query}"
            self._files[path, commit] = self._get(where, "application/vnd.github.raw+json") if commit else None
        return self._files[path, commit]

    # ---------------------------------------------------------------------------------------------------- calls
    def _pages(self, path: str) -> Iterator[Any]:
        """Elements of a list, page after page ("Using pagination in the REST API")."""
        url: str | None = f"{self.api}/repos/{self.repository}{path}"
        while url:
            body, link = self._ask(url, "application/vnd.github+json")
            yield from json.loads(body or b"[]")
            following = _NEXT.search(link)
            url = following.group(1) if following else None
            if url and not url.startswith(f"{self.api}/"):
                raise HostError(f"GitHub names a next page that is not its own: {url}")

    def _get(self, path: str, accept: str = "application/vnd.github+json") -> bytes | None:
        return self._ask(f"{self.api}/repos/{self.repository}{path}", accept)[0]

    def _ask(self, url: str, accept: str) -> tuple[bytes | None, str]:
        """Body, None if there is nothing of that name, and the header that names the next page. Raises HostError."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": accept,
            "X-GitHub-Api-Version": _VERSION,
            "User-Agent": "lakemesh",
        }
        try:
            with self._opener.open(urllib.request.Request(url, headers=headers), timeout=_SECONDS) as answer:  # noqa: S310
                return answer.read(), answer.headers.get("Link") or ""
        except urllib.error.HTTPError as error:
            if error.code == _NOT_FOUND:
                return None, ""
            raise HostError(self._refused(error)) from error
        except (OSError, http.client.HTTPException) as error:
            raise HostError(f"GitHub does not answer at {self.api}: {error}") from error

    def _refused(self, error: urllib.error.HTTPError) -> str:
        """What GitHub's refusal means ("Rate limits for the REST API", "Troubleshooting the REST API")."""
        if error.code == _UNAUTHORIZED:
            return "GitHub does not accept the token in GITHUB_TOKEN"
        after = error.headers.get("Retry-After")
        if error.code in _LIMITED and (after or error.headers.get("X-RateLimit-Remaining") == "0"):
            when = f"in {after} seconds" if after else _clock(error.headers.get("X-RateLimit-Reset"))
            return f"GitHub's limit of requests is reached; run the check again {when}"
        if error.code in _LIMITED:
            return (
                f"GitHub does not let the token read reviews of {self.repository}; the job needs the permissions "
                "`pull-requests: read` and `contents: read`"
            )
        return f"GitHub answers with status {error.code}"

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        host = urllib.parse.urlsplit(self.api).hostname or ""
        handlers = [urllib.request.ProxyHandler({})] if host in {"127.0.0.1", "localhost", "::1"} else []
        return urllib.request.build_opener(*handlers)


def of_environment(repository: str | None) -> Reviews | None:
    """The host that the environment gives access to (GitHub Actions, "Variables reference"); None without a token.

    `repository`: as mesh.yaml says, where the environment does not.
    """
    token = os.environ.get("GITHUB_TOKEN") or os.environ.get("GH_TOKEN")
    named = os.environ.get("GITHUB_REPOSITORY") or repository
    return Reviews(named, token, os.environ.get("GITHUB_API_URL", API).rstrip("/")) if token and named else None


def pull_of_environment() -> int | None:
    """Number of the pull request that a workflow runs for (`refs/pull/7/merge`)."""
    found = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", os.environ.get("GITHUB_REF", ""))
    return int(found.group(1)) if found else None


def _pull(found: Mapping[str, Any]) -> Pull | None:
    if found["state"] != "open" and not found.get("merged_at"):
        return None
    return Pull(int(found["number"]), str(found["base"]["sha"]))


def _clock(reset: str | None) -> str:
    if not reset or not reset.isdigit():
        return "later"
    return f"after {dt.datetime.fromtimestamp(int(reset), dt.UTC):%H:%M} UTC"
