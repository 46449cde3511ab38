"""What every test may use: the sample mesh, a local AWS in a process of its own, and no network but loopback."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from lakemesh.access.check import load_mesh
from lakemesh.declarations.models import Declarations
from lakemesh.demo.clients import Clients
from lakemesh.demo.process import LocalAwsProcess

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "mesh"

# No property has a deadline: the machine that runs it may be busy with something else.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that reaches for anything but loopback fails: nothing here needs the network.

    But for the checks of AWS itself, when they are given sandbox accounts to ask (docs/conformance.md).
    """
    if "aws_conformance" in item.path.parts and item.config.getoption("--profile-owner", None):
        return
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def sample() -> Declarations:
    """The sample mesh's declarations."""
    return load_mesh(SAMPLE)


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    """A copy of the sample mesh, to be changed."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "mesh"))


@pytest.fixture(scope="session")
def local_aws_process() -> Iterator[LocalAwsProcess]:
    """One local AWS a test process, on a free port, apart from any that runs inside this process."""
    with LocalAwsProcess() as aws:
        yield aws


@pytest.fixture(scope="session")
def reset(local_aws_process: LocalAwsProcess) -> Callable[[], str]:
    """Empties the local AWS and says where it is."""

    def empty() -> str:
        request = urllib.request.Request(f"{local_aws_process.endpoint}/_local/reset", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            return local_aws_process.endpoint

    return empty


@pytest.fixture(scope="session")
def clients_of() -> Callable[[str, str], Clients]:
    """`clients_of(endpoint, region)`: boto3 clients as an account's root or as a role."""
    return Clients
