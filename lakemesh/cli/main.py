"""The `lakemesh` command: one place where every command is registered, in the order in which people meet them.

Command modules import what is heavy (Pulumi, boto3, DuckDB) inside their functions, so that `lakemesh --help` and
`lakemesh validate` start at once.
"""

from __future__ import annotations

import typer

from lakemesh.cli.access_requests import approve, reject, request, requests
from lakemesh.cli.affected import affected
from lakemesh.cli.bootstrap import bootstrap
from lakemesh.cli.catalogue import search, show
from lakemesh.cli.check import check
from lakemesh.cli.ci import app as ci
from lakemesh.cli.classify import app as classify
from lakemesh.cli.codeowners import codeowners
from lakemesh.cli.demo import demo
from lakemesh.cli.deploy import destroy, preview, up
from lakemesh.cli.diff import diff
from lakemesh.cli.drift import drift
from lakemesh.cli.explain import explain
from lakemesh.cli.import_ import import_
from lakemesh.cli.init import init
from lakemesh.cli.local import app as local
from lakemesh.cli.manifest import manifest
from lakemesh.cli.onboard import app as onboard
from lakemesh.cli.portal import portal
from lakemesh.cli.sync import app as sync
from lakemesh.cli.validate import validate

app = typer.Typer(
    name="lakemesh",
    help="""A data mesh on AWS Glue and Lake Formation, declared in YAML and deployed by Pulumi.

    New here? [bold]lakemesh demo[/bold] deploys the sample mesh to a local AWS and proves who can read what.
    Then edit mesh/, and run [bold]lakemesh validate[/bold], [bold]lakemesh preview --local[/bold] and
    [bold]lakemesh up --local[/bold].
    """,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals may hold credentials
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel="Start")(demo)
app.add_typer(local, name="local", rich_help_panel="Start")
app.command(rich_help_panel="Start")(init)
app.command(rich_help_panel="Mesh")(validate)
app.command(rich_help_panel="Mesh")(check)
app.command(rich_help_panel="Mesh")(explain)
app.command(rich_help_panel="Mesh")(diff)
app.command(rich_help_panel="Mesh")(drift)
app.command(rich_help_panel="Catalogue")(search)
app.command(rich_help_panel="Catalogue")(show)
app.command(rich_help_panel="Catalogue")(request)
app.command(rich_help_panel="Catalogue")(requests)
app.command(rich_help_panel="Catalogue")(approve)
app.command(rich_help_panel="Catalogue")(reject)
app.command(rich_help_panel="Catalogue")(portal)
app.command(rich_help_panel="Mesh")(affected)
app.command(rich_help_panel="Mesh")(codeowners)
app.command(rich_help_panel="Mesh")(manifest)
app.add_typer(classify, name="classify", rich_help_panel="Mesh")
app.command(rich_help_panel="Deployment")(preview)
app.command(rich_help_panel="Deployment")(up)
app.command(rich_help_panel="Deployment")(destroy)
app.command("import", rich_help_panel="Deployment")(import_)
app.add_typer(sync, name="sync", rich_help_panel="Deployment")
app.command(rich_help_panel="Accounts")(bootstrap)
app.add_typer(onboard, name="onboard", rich_help_panel="Accounts")
app.add_typer(ci, name="ci", rich_help_panel="Continuous integration")


def main() -> None:
    """Entry point of the console script; exit codes: 0 done, 1 found wanting or failed, 2 misuse."""
    app()
