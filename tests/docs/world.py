"""The accounts and the machine of whoever reads the tutorial: what is there before its first line."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.engine.install import install
from tests.conftest import ROOT
from tests.onboard.unprepared import CENTRAL, PRODUCER, REGION, Unprepared, policy, trust

MANAGEMENT, CONSUMER = "210000000000", "210000000004"
PROFILES = {"management": MANAGEMENT, "governance": CENTRAL, "producer": PRODUCER, "consumer": CONSUMER}
"""Profiles of the tutorial, each a person's role of IAM Identity Center in one account."""
SSO_PATH = f"/aws-reserved/sso.amazonaws.com/{REGION}/"
SSO_ROLE = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
PULUMI = shutil.which("pulumi") or shutil.which("pulumi", path=str(ROOT / ".tools" / "bin"))
REAL_PULUMI = "LAKEMESH_DOCS_PULUMI"
"""Environment variable: the CLI behind the stand-in. Empty: there is none."""
ONLY_PARSE = "LAKEMESH_DOCS_ONLY_PARSE"
"""Environment variable: `aws` is understood and not called, for what the local AWS does not have."""
PROJECT = ("Pulumi.yaml", "__main__.py", "components", "sync_handlers", "policies", "mesh")
"""What a copy of this repository has that deployments read; linked, so that a test changes nothing here."""


def seed(endpoint: str) -> Unprepared:
    """A producer as one finds it, three accounts with nothing but people in them, and an organization of the four."""
    accounts = Unprepared.at(endpoint)
    accounts.make_producer()
    for account in PROFILES.values():
        iam = accounts.root("iam", account)
        iam.create_role(RoleName=SSO_ROLE, Path=SSO_PATH, AssumeRolePolicyDocument=trust(account))
        document = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
        iam.put_role_policy(RoleName=SSO_ROLE, PolicyName="AdministratorAccess", PolicyDocument=document)
    formation = accounts.root("lakeformation", PRODUCER)
    settings: dict[str, Any] = formation.get_data_lake_settings()["DataLakeSettings"]
    person = f"arn:aws:iam::{PRODUCER}:role{SSO_PATH}{SSO_ROLE}"
    settings["DataLakeAdmins"].append({"DataLakePrincipalIdentifier": person})
    formation.put_data_lake_settings(DataLakeSettings=settings)
    _state_organization(endpoint)
    return accounts


def _state_organization(endpoint: str) -> None:
    """An organization whose accounts share with each other: the end of the tutorial's first step."""
    members = sorted(PROFILES.values())
    body = {"id": "o-orchard0001", "management": MANAGEMENT, "members": members, "ramSharing": True}
    request = urllib.request.Request(f"{endpoint}/_local/organization", json.dumps(body).encode(), method="PUT")  # noqa: S310
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        pass


@dataclass
class Machine:
    """A reader's machine: a home with profiles, a copy of the repository, and the commands on PATH."""

    home: Path
    endpoint: str

    @property
    def project(self) -> Path:
        return self.home / "data-mesh"

    @property
    def bin(self) -> Path:
        return self.home / "bin"

    def make(self) -> Machine:
        self.project.mkdir(parents=True)
        for name in PROJECT:
            self._copy(ROOT / name)
        for file in ROOT.glob("Pulumi.*.yaml"):
            self._copy(file)
        (self.home / "state").mkdir()
        self._profiles()
        install(self.bin)
        self.command("aws", f'exec {self._python("-m tests.docs.aws_cli")} "$@"')
        self.command("lakemesh", f'exec {self._python("-m tests.docs.lakemesh_cli")} "$@"')
        self.command("pulumi", f'exec {self._python("-m tests.docs.pulumi_cli")} "$@"')
        return self

    def _copy(self, source: Path) -> None:
        if source.is_dir() and source.name != "mesh":
            (self.project / source.name).symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, self.project / source.name)
        else:
            shutil.copy(source, self.project)

    @staticmethod
    def _python(what: str) -> str:
        return f"env PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} {what}"

    def command(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def _profiles(self) -> None:
        """What `aws configure sso` leaves behind; on the local AWS an account's id is the key of its administrator."""
        (self.home / ".aws").mkdir()
        lines = []
        for name, account in PROFILES.items():
            lines += [
                f"[profile {name}]",
                f"role_arn = arn:aws:iam::{account}:role{SSO_PATH}{SSO_ROLE}",
                f"source_profile = {name}-root",
                f"region = {REGION}",
                f"[profile {name}-root]",
                f"aws_access_key_id = {account}",
                "aws_secret_access_key = local",
            ]
        (self.home / ".aws" / "config").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the machine that the tests run on but its PATH; AWS is where the local one is."""
        return {
            "HOME": str(self.home),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "COLUMNS": "120",
            "NO_COLOR": "1",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_HOME": str(self.home / ".pulumi"),
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
            "PULUMI_BACKEND_URL": (self.home / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "of a state that is thrown away",
            REAL_PULUMI: PULUMI or "",
            # Without a CLI the stand-in on PATH must not be taken for one.
            **({} if PULUMI else {"LAKEMESH_ENGINE": "inprocess"}),
        }

    def run(self, script: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a script of the page in the copy of the repository."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.project, env=dict(environment), capture_output=True, text=True, timeout=600, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
