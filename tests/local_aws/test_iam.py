"""IAM, STS and Organizations over boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services import iam, identity, organizations

HOME, OTHER = "210987654321", "310987654321"
ANYONE_HERE = {"AWS": f"arn:aws:iam::{HOME}:root"}


def trust(principal: Any, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def may(*actions: str, resource: str = "*", effect: str = "Allow") -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": effect, "Action": list(actions), "Resource": resource}],
        }
    )


def role(client: Any, account: str, name: str, document: str, *policies: str) -> str:
    made = client("iam", account)
    arn = made.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for number, policy in enumerate(policies):
        made.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=policy)
    return str(arn)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def assume(caller: Any, arn: str, **more: Any) -> dict[str, Any]:
    return dict(caller.assume_role(RoleArn=arn, RoleSessionName="someone", **more))


def test_an_account_id_as_access_key_is_that_accounts_administrator(client: Any) -> None:
    assert client("sts", HOME).get_caller_identity()["Arn"] == f"arn:aws:iam::{HOME}:root"


def test_a_role_may_not_trust_who_does_not_exist(client: Any) -> None:
    with pytest.raises(ClientError, match="Invalid principal in policy") as error:
        role(client, HOME, "reader", trust({"AWS": f"arn:aws:iam::{OTHER}:role/missing"}))
    assert code(error) == "MalformedPolicyDocument"
    role(client, OTHER, "missing", trust({"AWS": OTHER}))
    role(client, HOME, "reader", trust({"AWS": f"arn:aws:iam::{OTHER}:role/missing"}))


def test_an_update_of_a_trust_policy_is_checked_as_its_creation_is(client: Any) -> None:
    role(client, HOME, "reader", trust(ANYONE_HERE))
    with pytest.raises(ClientError, match="Invalid principal"):
        client("iam", HOME).update_assume_role_policy(
            RoleName="reader", PolicyDocument=trust({"AWS": f"arn:aws:iam::{HOME}:role/nobody"})
        )


@pytest.mark.parametrize("document", ["", "{", "[]", '{"Statement": ["x"]}', '{"Statement": []}', '"text"'])
def test_a_trust_policy_that_is_no_policy_is_refused(client: Any, document: str) -> None:
    with pytest.raises(ClientError) as error:
        role(client, HOME, "reader", document)
    assert code(error) in {"MalformedPolicyDocument", "ValidationException"}


def test_a_session_of_a_role_acts_in_the_roles_account(client: Any) -> None:
    arn = role(client, OTHER, "reader", trust({"AWS": HOME}))
    made = assume(client("sts", HOME), arn)
    assert made["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/reader/someone"
    who = identity.from_access_key(made["Credentials"]["AccessKeyId"])
    assert who is not None
    assert who.arn == arn


def test_a_role_that_does_not_exist_and_one_that_is_not_trusted_look_alike(client: Any) -> None:
    arn = role(client, OTHER, "reader", trust({"AWS": OTHER}))
    for name in (arn, arn.replace("reader", "nobody")):
        with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole on resource") as error:
            assume(client("sts", HOME), name)
        assert code(error) == "AccessDenied"


def test_across_accounts_the_callers_own_policy_has_to_allow_too(client: Any) -> None:
    sync = role(client, HOME, "sync", trust(ANYONE_HERE))
    reader = role(client, OTHER, "reader", trust({"AWS": sync}))
    with pytest.raises(ClientError, match="not authorized"):
        assume(client.role(sync, "sts"), reader)
    client("iam", HOME).put_role_policy(
        RoleName="sync", PolicyName="p", PolicyDocument=may("sts:AssumeRole", resource=reader)
    )
    assert assume(client.role(sync, "sts"), reader)


def test_inside_an_account_a_trust_policy_that_names_the_role_is_enough_and_one_that_names_the_account_is_not(
    client: Any,
) -> None:
    caller = role(client, HOME, "caller", trust(ANYONE_HERE))
    named = role(client, HOME, "named", trust({"AWS": caller}))
    by_account = role(client, HOME, "by-account", trust(ANYONE_HERE))
    assert assume(client.role(caller, "sts"), named)
    with pytest.raises(ClientError, match="not authorized"):
        assume(client.role(caller, "sts"), by_account)


def test_an_external_id_has_to_be_the_one_the_role_asks_for(client: Any) -> None:
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": "secret-of-erp"}}}
    arn = role(client, OTHER, "reader", trust({"AWS": HOME}, **condition))
    for given in ({}, {"ExternalId": "guess"}):
        with pytest.raises(ClientError, match="not authorized"):
            assume(client("sts", HOME), arn, **given)
    assert assume(client("sts", HOME), arn, ExternalId="secret-of-erp")


def test_a_role_for_an_organization_refuses_accounts_outside_of_it(client: Any) -> None:
    condition = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}}}
    arn = role(client, OTHER, "reader", trust({"AWS": HOME}, **condition))
    with pytest.raises(ClientError, match="not authorized"):
        assume(client("sts", HOME), arn)
    organizations.declare("o-0123456789", OTHER, [HOME])
    assert assume(client("sts", HOME), arn)
    assert client("organizations", HOME).describe_organization()["Organization"]["MasterAccountId"] == OTHER
    assert {a["Id"] for a in client("organizations", HOME).list_accounts()["Accounts"]} == {HOME, OTHER}


def test_an_explicit_deny_outweighs_trust(client: Any) -> None:
    caller = role(client, HOME, "caller", trust(ANYONE_HERE), may("sts:*", effect="Deny"))
    named = role(client, HOME, "named", trust({"AWS": caller}))
    with pytest.raises(ClientError, match="not authorized"):
        assume(client.role(caller, "sts"), named)


def test_a_session_lasts_no_longer_than_the_role_allows_and_a_chained_one_an_hour(client: Any) -> None:
    caller = role(client, HOME, "caller", trust(ANYONE_HERE))
    client("iam", HOME).create_role(
        RoleName="long", AssumeRolePolicyDocument=trust({"AWS": [caller, HOME]}), MaxSessionDuration=7200
    )
    arn = f"arn:aws:iam::{HOME}:role/long"
    with pytest.raises(ClientError, match="MaxSessionDuration"):
        assume(client("sts", HOME), arn, DurationSeconds=7201)
    with pytest.raises(ClientError, match="role chaining"):
        assume(client.role(caller, "sts"), arn, DurationSeconds=3601)
    assert assume(client("sts", HOME), arn, DurationSeconds=7200)


def test_a_policy_attached_to_a_role_counts_as_an_inline_one_does(client: Any) -> None:
    caller = role(client, HOME, "caller", trust(ANYONE_HERE))
    target = role(client, OTHER, "target", trust({"AWS": HOME}))
    made = client("iam", HOME).create_policy(PolicyName="assume", PolicyDocument=may("sts:AssumeRole", resource=target))
    client("iam", HOME).attach_role_policy(RoleName="caller", PolicyArn=made["Policy"]["Arn"])
    assert assume(client.role(caller, "sts"), target)


def test_a_session_policy_is_refused_by_name_because_ignoring_it_would_widen_the_session(client: Any) -> None:
    arn = role(client, HOME, "reader", trust(ANYONE_HERE))
    with pytest.raises(ClientError, match=r"sts\.AssumeRole with Policy"):
        assume(client("sts", HOME), arn, Policy=may("s3:*"))


def test_operations_nobody_looked_at_are_refused_by_name(client: Any) -> None:
    with pytest.raises(ClientError, match=r"iam\.CreateUser"):
        client("iam", HOME).create_user(UserName="x")


@pytest.mark.parametrize(
    ("principal", "there"),
    [
        ("*", True), (HOME, True), (f"arn:aws:iam::{HOME}:root", True), (f"arn:aws:iam::{HOME}:role/there", True),
        (f"arn:aws:sts::{HOME}:assumed-role/there/s", True), (f"arn:aws:sts::{HOME}:assumed-role/not/s", False),
        (f"arn:aws:iam::{HOME}:role/*", False), (f"arn:aws:iam::{HOME}:user/x", False), ("AIDA", False), ("", False),
        (f"arn:aws:iam::{HOME}:role/there\n", False), (f"arn:aws:iam::{HOME}:group/g", False),
    ],
)  # fmt: skip
def test_which_principals_exist(client: Any, principal: str, there: bool) -> None:
    role(client, HOME, "there", trust(ANYONE_HERE))
    assert iam.exists(principal) is there


def boundary(client: Any, *actions: str) -> str:
    made = client("iam", HOME).create_policy(PolicyName="limit", PolicyDocument=may(*actions))
    return str(made["Policy"]["Arn"])


def test_a_boundary_limits_what_policies_allow_and_allows_nothing_itself(client: Any) -> None:
    limit = boundary(client, "glue:GetDatabases", "s3:ListAllMyBuckets")
    arn = role(client, HOME, "worker", trust(ANYONE_HERE), may("glue:GetDatabases", "iam:ListRoles"))
    client("iam", HOME).put_role_permissions_boundary(RoleName="worker", PermissionsBoundary=limit)
    client.role(arn, "glue").get_databases()
    for refused in (client.role(arn, "iam").list_roles, client.role(arn, "s3").list_buckets):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()
    client("iam", HOME).delete_role_permissions_boundary(RoleName="worker")
    client.role(arn, "iam").list_roles()


def test_a_boundary_has_to_exist(client: Any) -> None:
    missing = f"arn:aws:iam::{HOME}:policy/missing"
    with pytest.raises(ClientError, match="does not exist or is not attachable"):
        client("iam", HOME).create_role(
            RoleName="worker", AssumeRolePolicyDocument=trust(ANYONE_HERE), PermissionsBoundary=missing
        )


def test_roles_can_be_made_on_the_condition_that_they_have_a_boundary(client: Any) -> None:
    limit = boundary(client, "glue:*")
    document = json.loads(may("iam:CreateRole", "iam:TagRole", resource=f"arn:aws:iam::{HOME}:role/team/*"))
    document["Statement"][0]["Condition"] = {"StringEquals": {"iam:PermissionsBoundary": limit}}
    arn = role(client, HOME, "maker", trust(ANYONE_HERE), json.dumps(document))
    maker = client.role(arn, "iam")
    given = {"AssumeRolePolicyDocument": trust(ANYONE_HERE)}
    maker.create_role(RoleName="a", Path="/team/", PermissionsBoundary=limit, **given)
    for wrong in ({"Path": "/team/"}, {"PermissionsBoundary": limit}):
        with pytest.raises(ClientError, match="AccessDenied"):
            maker.create_role(RoleName="b", **wrong, **given)


def test_tags_at_creation_need_leave_to_tag(client: Any) -> None:
    arn = role(client, HOME, "maker", trust(ANYONE_HERE), may("logs:CreateLogGroup", "iam:CreatePolicy"))
    client.role(arn, "logs").create_log_group(logGroupName="plain")
    client.role(arn, "iam").create_policy(PolicyName="plain", PolicyDocument=may("glue:*"))
    with pytest.raises(ClientError, match="logs:TagResource"):
        client.role(arn, "logs").create_log_group(logGroupName="tagged", tags={"a": "b"})
    with pytest.raises(ClientError, match="iam:TagPolicy"):
        client.role(arn, "iam").create_policy(
            PolicyName="tagged", PolicyDocument=may("glue:*"), Tags=[{"Key": "a", "Value": "b"}]
        )


def test_keys_can_be_told_apart_by_their_tags(client: Any) -> None:
    own = {"StringEquals": {"aws:RequestTag/team": "a"}}, {"StringEquals": {"aws:ResourceTag/team": "a"}}
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["kms:CreateKey", "kms:TagResource"], "Resource": "*", "Condition": own[0]},
            {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*", "Condition": own[1]},
        ],
    }
    kms = client.role(role(client, HOME, "keeper", trust(ANYONE_HERE), json.dumps(document)), "kms")
    theirs = client("kms", HOME).create_key(Tags=[{"TagKey": "team", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    mine = kms.create_key(Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]["KeyId"]
    kms.describe_key(KeyId=mine)
    with pytest.raises(ClientError, match="kms:DescribeKey"):
        kms.describe_key(KeyId=theirs)
    with pytest.raises(ClientError, match="kms:CreateKey"):
        kms.create_key(Tags=[{"TagKey": "team", "TagValue": "b"}])


def test_every_role_comes_with_its_policies_in_one_call(client: Any) -> None:
    arn = role(client, HOME, "analyst", trust(ANYONE_HERE), may("athena:*"))
    made = client("iam", HOME)
    managed = made.create_policy(PolicyName="more", PolicyDocument=may("glue:GetTable"))["Policy"]["Arn"]
    made.attach_role_policy(RoleName="analyst", PolicyArn=managed)
    answer = made.get_account_authorization_details(Filter=["Role", "LocalManagedPolicy", "AWSManagedPolicy"])
    (found,) = answer["RoleDetailList"]
    assert found["Arn"] == arn
    assert found["RolePolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == ["athena:*"]
    assert [policy["PolicyArn"] for policy in found["AttachedManagedPolicies"]] == [managed]
    documents = {one["Arn"]: one["PolicyVersionList"][0]["Document"] for one in answer["Policies"]}
    assert documents[managed]["Statement"][0]["Action"] == ["glue:GetTable"]
