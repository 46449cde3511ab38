"""The local AWS, which also remembers every permission that it was asked for: GET and DELETE /_local/asked.

`python -m tests.bootstrap.recording --port N`, as `local_aws.server`: a process of its own, because what is recorded is
what every service asks of IAM, handlers in their workers included.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from local_aws import server
from local_aws.services import front, iam, organizations

_asked: dict[str, dict[str, Any]] = {}
_lock = threading.Lock()
_permitted = iam.permitted


def permitted(identity: Any, action: str, resource: str, **given: Any) -> bool:
    """`iam.permitted`, remembered: who asked for which action on which resource, in which context."""
    allowed = _permitted(identity, action, resource, **given)
    context = iam.context(identity, given.get("owner")) | {
        key.lower(): value for key, value in (given.get("extra") or {}).items()
    }
    entry = {
        "principal": identity.arn,
        "account": identity.account,
        "action": action,
        "resource": resource,
        "context": {key: value for key, value in context.items() if key != "aws:userid"},
        "allowed": allowed,
    }
    with _lock:
        _asked[json.dumps(entry, sort_keys=True)] = entry
    return allowed


def answer(request: Any) -> tuple[int, Any]:
    with _lock:
        if request.method == "DELETE":
            _asked.clear()
        return 200, {"asked": list(_asked.values())}


if __name__ == "__main__":
    iam.permitted = permitted
    front.route("/_local/asked", answer)
    assert organizations
    server.main()
