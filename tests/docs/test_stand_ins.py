"""What stands in for `aws`, `lakemesh` and `pulumi` in the tutorial's test does what it says, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docs import aws_cli, lakemesh_cli, pulumi_cli
from tests.docs.cloudformation import TemplateError, deploy
from tests.docs.pages import blocks
from tests.docs.test_tutorial import PAGE


def parsed(line: str) -> dict[str, Any]:
    return aws_cli.parse(line.split()).parameters


def test_options_become_the_members_of_the_services_model(tmp_path: Path) -> None:
    document = tmp_path / "d.json"
    document.write_text("{}")
    assert parsed(f"iam put-role-policy --role-name R --policy-name p --policy-document file://{document}") == {
        "RoleName": "R",
        "PolicyName": "p",
        "PolicyDocument": "{}",
    }
    assert parsed("athena start-query-execution --query-string x --query-execution-context Database=d,Catalog=c") == {
        "QueryString": "x",
        "QueryExecutionContext": {"Database": "d", "Catalog": "c"},
    }
    settings = json.dumps({"DataLakeAdmins": [{"DataLakePrincipalIdentifier": "a"}]}).replace(" ", "")
    made = parsed(f"lakeformation put-data-lake-settings --data-lake-settings {settings}")
    assert made == {"DataLakeSettings": {"DataLakeAdmins": [{"DataLakePrincipalIdentifier": "a"}]}}
    assert parsed("iam list-roles --max-items 3") == {"MaxItems": 3}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("atena get-work-group", "no service atena"),
        ("athena get-workgroup", "no operation get-workgroup"),
        ("athena get-work-group --name w", "no option --name"),
        ("athena get-work-group", "needs --work-group"),
        ("athena get-work-group --work-group a b", "one value, not 2"),
        ("athena get-work-group --work-group a --work-group b", "stands twice"),
        ("athena get-work-group a", "belongs to no option"),
        ("athena list-work-groups --query Foo[", "--query"),
        ("athena list-work-groups --output table", "use text and json"),
        ("athena start-query-execution --query-string q --query-execution-context Databas=d", "no member Databas"),
        ("athena start-query-execution --query-string q --query-execution-context d", "neither JSON nor"),
        ("iam put-role-policy --role-name R --policy-name p --policy-document file:///no/such", "No such file"),
        ("cloudformation deploy --stack-name s --template-file t", "CAPABILITY_NAMED_IAM"),
        ("cloudformation deploy --stackname s", "do not use --stackname"),
        ("athena", "aws <service> <operation>"),
    ],
)
def test_what_the_cli_would_not_take_is_refused(line: str, said: str) -> None:
    with pytest.raises(aws_cli.UsageError, match=said.replace("[", r"\[")):
        parsed(line)


def test_answers_are_shown_as_the_cli_shows_them() -> None:
    answer = {"Rows": [["a", "b"], ["c", None]], "Id": "x"}
    assert aws_cli.shown(answer, {"query": "Id", "output": "text"}) == "x"
    assert aws_cli.shown(answer, {"query": "Rows", "output": "text"}) == "a\tb\nc\tNone"
    assert aws_cli.shown({"Id": "x"}, {}) == '{\n    "Id": "x"\n}'
    assert aws_cli.shown({}, {}) == "", "a call without an answer prints nothing"
    with pytest.raises(aws_cli.UsageError, match="--query"):
        aws_cli.shown(answer, {"output": "text"})


def test_the_cloud_that_refuses_ends_a_command_with_its_own_code(
    reset: Callable[[], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL", reset()), ("AWS_ACCESS_KEY_ID", "210000000001"), ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_DEFAULT_REGION", "eu-north-1"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    assert aws_cli.main(["iam", "get-role", "--role-name", "nobody"]) == 254
    assert "NoSuchEntity" in capsys.readouterr().err
    assert aws_cli.main(["sts", "get-caller-identity", "--query", "Account", "--output", "text"]) == 0
    assert capsys.readouterr().out == "210000000001\n"
    assert aws_cli.main(["sts", "get-caller"]) == 252


def test_a_template_with_a_resource_that_nobody_knows_makes_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reset: Callable[[], str]
) -> None:
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", reset())
    template = tmp_path / "t.yaml"
    template.write_text("Resources: {X: {Type: 'AWS::EC2::Instance', Properties: {}}}")
    session = boto3.Session(aws_access_key_id="210000000001", aws_secret_access_key="local", region_name="eu-north-1")
    given = {"stack-name": "s", "template-file": str(template), "parameter-overrides": {}}
    with pytest.raises(TemplateError, match="AWS::EC2::Instance"):
        deploy(session, given)


def test_lakemesh_is_answered_with_yes_and_otherwise_left_as_it_is() -> None:
    def run(line: str, *, cli: bool = True) -> str:
        return " ".join(lakemesh_cli.arguments_of(line.split(), cli=cli))

    assert run("up --secrets-provider awskms://a domain-x") == "up domain-x --yes"
    assert run("preview") == "preview"
    assert run("preview", cli=False) == "preview --local"
    assert run("up", cli=False) == "up --yes --local"
    assert run("validate --format json", cli=False) == "validate --format json"


def test_pulumi_is_the_real_one_where_it_can_be() -> None:
    def run(line: str, *, cli: str | None = "/p", host: bool = True) -> str:
        return " ".join(pulumi_cli.command_of(line.split(), cli=cli, language_host=host))

    assert run("up --stack a --yes") == "/p up --stack a --yes"
    assert run("up --stack a --yes", host=False) == "lakemesh up a --yes"
    assert run("preview --stack a", cli=None) == "lakemesh preview a"
    assert run("up --client=x --exec-kind auto.inline", host=False) == "/p up --client=x --exec-kind auto.inline"
    assert run("login s3://x") == ""
    assert run("stack init a --secrets-provider awskms://x") == "/p stack init a"
    assert run("stack init a", cli=None) == ""
    with pytest.raises(SystemExit, match="only"):
        run("up --stack a --refresh", host=False)


def test_every_block_of_the_tutorial_is_of_a_kind_that_is_checked() -> None:
    kinds = {block.info for block in blocks(PAGE.read_text(encoding="utf-8"))}
    assert kinds == {"sh", "sh fails", "console", "console aws", "text", "yaml", "diff"}
