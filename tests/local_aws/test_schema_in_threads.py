"""The engine asks a provider in several threads at once, also for what nobody has imported yet."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

PROGRAM = """
import threading
from local_aws.provider import schema
tokens = ["aws:cloudwatch/logGroup:LogGroup", "aws:iam/rolePolicy:RolePolicy", "aws:kms/alias:Alias", "aws:iam/policy:Policy"]
failed = []
def ask(token):
    try:
        schema.arguments(token)
    except LookupError as error:
        failed.append(error)
threads = [threading.Thread(target=ask, args=(token,)) for token in tokens * 4]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
"""


def test_types_are_found_by_threads_that_ask_first_at_the_same_time() -> None:
    # In a process of its own: here everything is imported already.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
