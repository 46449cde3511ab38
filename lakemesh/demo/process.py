"""A local AWS as a process of its own, on a free port of loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"
MODULE = "local_aws.server"
DEADLINE = 30.0
"""Seconds until it must answer."""
TRIES = 3
"""Another process may take the port between our look and its start."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is reached through no proxy


class LocalAwsError(Exception):
    """The local AWS did not start; the text ends with what it said."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    """This process's environment without anything that leads to a real account."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}


class LocalAwsProcess:
    """`with LocalAwsProcess() as aws: … aws.endpoint`; it ends with the block unless `keep` is called."""

    def __init__(self) -> None:
        self._log = Path(tempfile.mkstemp(prefix="lakemesh-local-aws-", suffix=".log")[1])
        self._process: subprocess.Popen[bytes] | None = None
        self._kept = False
        self.port = 0

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id. Raises LocalAwsError where it does not run."""
        if self._process is None:
            raise LocalAwsError("The local AWS does not run.")
        return self._process.pid

    @property
    def log(self) -> Path:
        """Where its own messages go; removed with it."""
        return self._log

    def start(self) -> Self:
        """Start and wait until it answers. Raises LocalAwsError."""
        for _ in range(TRIES):
            self.port = free_port()
            command = [sys.executable, "-m", MODULE, "--port", str(self.port)]
            with self._log.open("wb") as log:
                # Its own session: Ctrl-C in the terminal ends the demo, which then ends it.
                self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                    command, stdout=log, stderr=log, env=environment(), start_new_session=True
                )
            if self._answers(self._process):
                return self
        said = self._log.read_text(errors="replace").strip().splitlines()[-12:]
        self.stop()
        raise LocalAwsError("\n".join(["The local AWS did not start. It said:", *said]))

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        end = time.monotonic() + DEADLINE
        while process.poll() is None and time.monotonic() < end:
            try:
                with _OPENER.open(f"{self.endpoint}/_local/health", timeout=2):
                    return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self._end()
        return False

    def keep(self) -> None:
        """Leave it running when the block ends."""
        self._kept = True

    def stop(self) -> None:
        self._end()
        self._log.unlink(missing_ok=True)

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=5)
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self.stop()
