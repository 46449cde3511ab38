"""KMS keys and S3 buckets over boto3: their policies decide."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.services import identity, kms, s3
from local_aws.services.calls import AwsError
from tests.local_aws.test_iam import ANYONE_HERE, HOME, OTHER, code, may, role, trust

KEY_ID = "cd613e30-d8f1-4adf-91b7-584a2265b1f5"


def key_policy(*statements: dict[str, Any]) -> str:
    own = {"Sid": "own", "Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [own, *statements]})


def allow(principal: Any, *actions: str, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": resource, **condition}


def test_a_tag_sets_a_keys_id_and_is_not_kept(client: Any) -> None:
    made = client("kms", HOME).create_key(
        Tags=[{"TagKey": "_custom_id_", "TagValue": KEY_ID}, {"TagKey": "a", "TagValue": "b"}]
    )
    arn = made["KeyMetadata"]["Arn"]
    assert arn == f"arn:aws:kms:eu-west-1:{HOME}:key/{KEY_ID}"
    assert client("kms", HOME).describe_key(KeyId=arn)["KeyMetadata"]["KeyId"] == KEY_ID
    assert client("kms", HOME).list_resource_tags(KeyId=KEY_ID)["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
    with pytest.raises(ClientError, match="taken"):
        client("kms", HOME).create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": KEY_ID}])


def test_a_key_encrypts_and_decrypts_under_its_own_id(client: Any) -> None:
    client("kms", HOME).create_key(Tags=[{"TagKey": "_custom_id_", "TagValue": KEY_ID}])
    blob = client("kms", HOME).encrypt(KeyId=KEY_ID, Plaintext=b"x")["CiphertextBlob"]
    assert client("kms", HOME).decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_key_policy_names_only_who_exists(client: Any) -> None:
    with pytest.raises(ClientError, match="one or more invalid principals") as error:
        client("kms", HOME).create_key(
            Policy=key_policy(allow({"AWS": f"arn:aws:iam::{OTHER}:role/no"}, "kms:Decrypt"))
        )
    assert code(error) == "MalformedPolicyDocumentException"
    key = client("kms", HOME).create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(ClientError, match="invalid principals"):
        client("kms", HOME).put_key_policy(
            KeyId=key, Policy=key_policy(allow({"AWS": f"arn:aws:iam::{OTHER}:role/no"}, "kms:Decrypt"))
        )


def test_a_key_policy_that_locks_its_owner_out_is_refused(client: Any) -> None:
    key = client("kms", HOME).create_key()["KeyMetadata"]["KeyId"]
    statement = json.dumps({"Statement": [allow({"AWS": OTHER}, "kms:*")]})
    with pytest.raises(ClientError, match="update the key policy in the future"):
        client("kms", HOME).put_key_policy(KeyId=key, Policy=statement)


def test_using_a_key_of_another_account_needs_both_policies(client: Any) -> None:
    key = client("kms", HOME).create_key()["KeyMetadata"]["Arn"]
    reader = role(client, OTHER, "reader", trust({"AWS": OTHER}))
    who = identity.role(reader, "s")
    assert not kms.may(who, "kms:Decrypt", key)
    client("iam", OTHER).put_role_policy(RoleName="reader", PolicyName="k", PolicyDocument=may("kms:Decrypt"))
    assert not kms.may(who, "kms:Decrypt", key)
    by_arn = {"Condition": {"ArnEquals": {"aws:PrincipalArn": reader}}}
    client("kms", HOME).put_key_policy(KeyId=key, Policy=key_policy(allow({"AWS": OTHER}, "kms:Decrypt", **by_arn)))
    assert kms.may(who, "kms:Decrypt", key)
    assert not kms.may(identity.root(OTHER), "kms:Decrypt", key)
    assert not kms.may(who, "kms:Decrypt", f"{key}x")


def test_a_key_of_another_account_is_used_by_its_arn(client: Any) -> None:
    """KMS developer guide, "Allowing users in other accounts to use a KMS key"."""
    key = client("kms", HOME).create_key()["KeyMetadata"]["Arn"]
    blob = client("kms", HOME).encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    reader = role(client, OTHER, "reader", trust({"AWS": OTHER}), may("kms:Decrypt", "kms:DescribeKey"))
    mine = client.role(reader, "kms")
    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        mine.decrypt(KeyId=key, CiphertextBlob=blob)
    client("kms", HOME).put_key_policy(
        KeyId=key, Policy=key_policy(allow({"AWS": reader}, "kms:Decrypt", "kms:DescribeKey"))
    )
    assert mine.decrypt(KeyId=key, CiphertextBlob=blob)["Plaintext"] == b"x"
    assert mine.describe_key(KeyId=key)["KeyMetadata"]["AWSAccountId"] == HOME
    with pytest.raises(ClientError, match="not authorized to perform: kms:Encrypt"):
        mine.encrypt(KeyId=key, Plaintext=b"y")


def bucket(client: Any, name: str, account: str = HOME) -> Any:
    made = client("s3", account)
    made.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return made


def bucket_policy(name: str, *statements: dict[str, Any]) -> str:
    resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    return json.dumps({"Version": "2012-10-17", "Statement": [{**s, "Resource": resources} for s in statements]})


def test_a_bucket_policy_names_only_who_exists_and_its_own_bucket(client: Any) -> None:
    made = bucket(client, "lake-one")
    with pytest.raises(ClientError, match="Invalid principal in policy") as error:
        made.put_bucket_policy(
            Bucket="lake-one",
            Policy=bucket_policy("lake-one", allow({"AWS": f"arn:aws:iam::{OTHER}:role/no"}, "s3:GetObject")),
        )
    assert code(error) == "MalformedPolicy"
    with pytest.raises(ClientError, match="invalid resource"):
        made.put_bucket_policy(Bucket="lake-one", Policy=bucket_policy("lake-two", allow("*", "s3:GetObject")))
    with pytest.raises(ClientError, match="does not exist"):
        made.put_bucket_policy(Bucket="no-such", Policy=bucket_policy("no-such", allow("*", "s3:GetObject")))


def test_another_accounts_object_is_read_when_both_policies_allow(client: Any) -> None:
    bucket(client, "lake-one").put_object(Bucket="lake-one", Key="raw/a", Body=b"data")
    reader = role(client, OTHER, "reader", trust({"AWS": OTHER}))
    who = client.role(reader, "s3")

    def read() -> bytes:
        return who.get_object(Bucket="lake-one", Key="raw/a")["Body"].read()

    with pytest.raises(ClientError, match="AccessDenied"):
        read()
    client("iam", OTHER).put_role_policy(RoleName="reader", PolicyName="k", PolicyDocument=may("s3:GetObject"))
    with pytest.raises(ClientError, match="AccessDenied"):
        read()
    client("s3", HOME).put_bucket_policy(
        Bucket="lake-one", Policy=bucket_policy("lake-one", allow({"AWS": reader}, "s3:GetObject"))
    )
    assert read() == b"data"


def test_a_deny_of_insecure_transport_does_not_shut_the_bucket(client: Any) -> None:
    """moto's own enforcement ignores conditions and principals; if its internals move, this fails."""
    made = bucket(client, "lake-one")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    made.put_bucket_policy(Bucket="lake-one", Policy=bucket_policy("lake-one", deny))
    made.put_object(Bucket="lake-one", Key="a", Body=b"x")
    assert made.get_object(Bucket="lake-one", Key="a")["Body"].read() == b"x"


def test_a_deny_of_everyone_but_one_role_holds_for_the_owner_too(client: Any) -> None:
    made = bucket(client, "results-1")
    analyst = role(client, HOME, "analyst", trust(ANYONE_HERE), may("s3:*"))
    deny = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": analyst}},
    }  # fmt: skip
    made.put_object(Bucket="results-1", Key="a", Body=b"x")
    made.put_bucket_policy(Bucket="results-1", Policy=bucket_policy("results-1", deny))
    with pytest.raises(ClientError, match="AccessDenied"):
        made.get_object(Bucket="results-1", Key="a")
    assert client.role(analyst, "s3").get_object(Bucket="results-1", Key="a")["Body"].read() == b"x"
    assert client("s3", HOME).get_bucket_policy_status(Bucket="results-1")["PolicyStatus"] == {"IsPublic": False}


def test_an_encrypted_object_needs_its_key_as_well_as_its_bucket(client: Any) -> None:
    key = client("kms", HOME).create_key()["KeyMetadata"]["Arn"]
    made = bucket(client, "lake-one")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    made.put_bucket_encryption(Bucket="lake-one", ServerSideEncryptionConfiguration={"Rules": [rule]})
    made.put_object(Bucket="lake-one", Key="raw/a", Body=b"data")
    reader = role(client, HOME, "reader", trust(ANYONE_HERE), may("s3:*"))
    who, theirs = identity.role(reader, "s"), client.role(reader, "s3")
    with pytest.raises(AwsError, match="kms:Decrypt"):
        s3.read(who, "lake-one", "raw/a")
    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        theirs.get_object(Bucket="lake-one", Key="raw/a")
    with pytest.raises(ClientError, match="not authorized to perform: kms:GenerateDataKey"):
        theirs.put_object(Bucket="lake-one", Key="raw/b", Body=b"")
    with pytest.raises(AwsError, match="kms:GenerateDataKey"):
        s3.write(who, "lake-one", "raw/b", b"")
    client("iam", HOME).put_role_policy(
        RoleName="reader", PolicyName="k", PolicyDocument=may("kms:Decrypt", "kms:GenerateDataKey")
    )
    assert s3.read(who, "lake-one", "raw/a") == b"data"
    assert theirs.get_object(Bucket="lake-one", Key="raw/a")["Body"].read() == b"data"
    s3.write(who, "lake-one", "raw/b", b"more")
    assert [name for name, _ in s3.keys(who, "lake-one", "raw/")] == ["raw/a", "raw/b"]


def test_a_bucket_that_does_not_exist_is_said_to_be_missing(client: Any) -> None:
    with pytest.raises(AwsError, match="does not exist"):
        s3.read(identity.root(HOME), "no-such", "a")
    assert not s3.allowed(identity.root(HOME), "s3:GetObject", "no-such", "a")
