"""Where this local AWS listens: what a Lambda function gets as AWS_ENDPOINT_URL."""

from __future__ import annotations

_url: list[str] = []


def set_url(url: str) -> None:
    """Called by the server once it listens."""
    _url[:] = [url]


def url() -> str:
    """The server's URL. Raises RuntimeError where nothing listens: code must not run against real AWS by mistake."""
    if not _url:
        raise RuntimeError("the local AWS is not listening: a function cannot be given an endpoint to call")
    return _url[0]
