"""`pulumi-resource-aws` of the local AWS: started by Pulumi's engine, prints its port, ends with its parent.

python -m local_aws.engine install [DIRECTORY]    write the launchers that the engine looks for on PATH
python -m local_aws.engine ENGINE_ADDRESS         serve (what the launcher runs)
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import urllib.parse
from pathlib import Path

from local_aws.engine.install import DEFAULT, install

ENDPOINT = "LAKEMESH_LOCAL_ENDPOINT"
"""Environment variable: where the local AWS is. Without it AWS_ENDPOINT_URL says."""
ACCOUNT = "LAKEMESH_LOCAL_ACCOUNT"
"""Environment variable: the account as whose administrator the provider starts. Without it the SDK's credentials."""
LATE = "LAKEMESH_LOCAL_PROVIDER"
"""Environment variable; `late`: assume roles when a call needs them: a preview works before they are there."""
_PARENT_SECONDS = 0.5


def main(arguments: list[str]) -> int:
    """Install launchers, or serve until the parent goes."""
    if arguments[:1] == ["install"]:
        sys.stdout.write(f"{install(Path(arguments[1]) if arguments[1:] else DEFAULT)}\n")
        return 0
    logging.basicConfig(level=logging.WARNING, format="local provider: %(message)s")
    # How the engine ends a plugin that it needs no more; five seconds later it would kill it. A person's Ctrl-C does
    # not get here: the engine starts each plugin in a process group of its own.
    for how in (signal.SIGINT, signal.SIGTERM):
        signal.signal(how, lambda *_: os._exit(0))
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    account = os.environ.get(ACCOUNT)
    endpoint = os.environ.get(ENDPOINT) or os.environ.get("AWS_ENDPOINT_URL", "")
    if account:
        # A profile of a person's own would be looked up, and may not even be there.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
    if not is_loopback(endpoint):
        sys.stderr.write(
            f"This pulumi-resource-aws is the provider of lakemesh's local AWS and works with nothing else; "
            f'AWS_ENDPOINT_URL is "{endpoint}".\nTake {Path(sys.argv[0]).parent} and its launchers off PATH to use '
            'AWS\'s own provider, or run: eval "$(lakemesh local env)"\n'
        )
        return 1
    # Imported late: `install` needs neither gRPC nor boto3.
    from importlib.metadata import version

    from local_aws.engine.face import EngineFace, serve
    from local_aws.provider.connection import Credentials
    from local_aws.provider.provider import LocalProvider

    late = os.environ.get(LATE) == "late"
    base = Credentials(account, "local") if account else None
    provider = LocalProvider(endpoint.rstrip("/"), base, connect_late=late)
    server, port = serve(EngineFace(provider, version("pulumi-aws")))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
    return 0


def is_loopback(endpoint: str) -> bool:
    """Whether a URL leads to this machine."""
    host = urllib.parse.urlsplit(endpoint).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _end_with_parent(parent: int) -> None:
    """End when the engine is gone, however it went: a provider without one can only do harm.

    Asked again and again: PR_SET_PDEATHSIG follows the parent's *thread*, and the engine's come and go.
    """
    while os.getppid() == parent:
        threading.Event().wait(_PARENT_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
