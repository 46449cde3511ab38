"""KMS keys and S3 buckets: whose policies decide over another account's data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from tests.aws_conformance.accounts import Account, allow, document, trust
from tests.aws_conformance.assumptions import Confidence, assumption
from tests.aws_conformance.lake import COLUMNS, KEYS, Lake
from tests.aws_conformance.waiting import allowed, eventually, patiently, refused

DOCUMENTED, INFERRED = Confidence.DOCUMENTED, Confidence.INFERRED
DENIED = "AccessDenied"


def key(lake: Lake, account: Account) -> str:
    """A key of an account, whose own policies decide; scheduled for deletion at the end."""
    kms = account("kms")
    own = {"Effect": "Allow", "Principal": account.root, "Action": "kms:*", "Resource": "*"}
    made = patiently(kms.create_key, Description=lake.names("key"), Policy=document(own))["KeyMetadata"]
    lake.accounts.guard.made(made["KeyId"])
    lake.undo.later(kms.schedule_key_deletion, KeyId=made["KeyId"], PendingWindowInDays=7)
    return str(made["Arn"])


def key_policy(account: Account, arn: str, *statements: Mapping[str, Any]) -> None:
    own = {"Effect": "Allow", "Principal": account.root, "Action": "kms:*", "Resource": "*"}
    patiently(account("kms").put_key_policy, KeyId=arn, PolicyName="default", Policy=document(own, *statements))


def lets(principal: str, *actions: str, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions), "Resource": resource}


@pytest.fixture
def reader(lake: Lake) -> Account:
    """A role of the recipient whose own policies allow nothing yet."""
    name = lake.names("reader")
    return lake.recipient.become(lake.recipient.role(lake.undo, name, trust(lake.recipient.root)))


def may(reader: Account, account: Account, *statements: Mapping[str, Any]) -> None:
    account.policy(reader.arn.rpartition("/")[2], *statements)


@pytest.fixture
def bucket(lake: Lake) -> str:
    """A bucket of the owner with one object, `raw/a`."""
    name = lake.owner.bucket(lake.undo, lake.names("lake", "-"))
    patiently(lake.owner("s3").put_object, Bucket=name, Key="raw/a", Body=b"data")
    return name


def bucket_policy(lake: Lake, bucket: str, *statements: Mapping[str, Any]) -> None:
    patiently(lake.owner("s3").put_bucket_policy, Bucket=bucket, Policy=document(*statements))


# ----------------------------------------------------------------------------------------------------------------- S3
@assumption("S3 how-s3-evaluates-access-control", DOCUMENTED)
def test_another_accounts_object_takes_both_policies(lake: Lake, reader: Account, bucket: str) -> None:
    """Reading another account's object takes the bucket's policy and the reader's own."""
    read = partial(reader("s3").get_object, Bucket=bucket, Key="raw/a")
    objects = lake.owner.s3_arn(f"{bucket}/*")
    refused(DENIED, read)
    bucket_policy(lake, bucket, lets(reader.arn, "s3:GetObject", resource=objects))
    refused(DENIED, read)
    may(reader, lake.recipient, allow("s3:GetObject", resource=objects))
    assert eventually(partial(allowed, read))["Body"].read() == b"data"


@assumption("IAM reference_policies_elements_principal", DOCUMENTED)
def test_a_bucket_policy_names_who_exists(lake: Lake, bucket: str) -> None:
    """PutBucketPolicy with a role that does not exist is MalformedPolicy.

    So the statements that lakemesh merges name the account, and restrict it by aws:PrincipalArn.
    """
    nobody = f"arn:{lake.recipient.partition}:iam::{lake.recipient.id}:role/{lake.names('nobody')}"
    policy = document(lets(nobody, "s3:GetObject", resource=lake.owner.s3_arn(f"{bucket}/*")))
    refused("MalformedPolicy", lake.owner("s3").put_bucket_policy, match="(?i)principal", Bucket=bucket, Policy=policy)


@assumption("IAM reference_policies_condition-keys", DOCUMENTED)
def test_a_policy_may_name_a_role_to_come(lake: Lake, bucket: str) -> None:
    """A bucket policy that names an account, restricted by aws:PrincipalArn, lets in a role that is made afterwards.

    So producers can be prepared before central's roles are there, and no role but the named one gets in.
    """
    name, objects = lake.names("reader"), lake.owner.s3_arn(f"{bucket}/*")
    arn = f"arn:{lake.recipient.partition}:iam::{lake.recipient.id}:role/{name}"
    only = {"ArnEquals": {"aws:PrincipalArn": arn}}
    bucket_policy(
        lake,
        bucket,
        {**lets("", "s3:GetObject", resource=objects), "Principal": lake.recipient.root, "Condition": only},
    )
    reading = allow("s3:GetObject", resource=objects)
    named = lake.recipient.become(lake.recipient.role(lake.undo, name, trust(lake.recipient.root), reading))
    other_name = lake.names("other")
    other = lake.recipient.become(lake.recipient.role(lake.undo, other_name, trust(lake.recipient.root), reading))
    assert eventually(partial(allowed, named("s3").get_object, Bucket=bucket, Key="raw/a"))["Body"].read() == b"data"
    refused(DENIED, other("s3").get_object, Bucket=bucket, Key="raw/a")


@assumption("S3 example-bucket-policies", DOCUMENTED)
def test_a_bucket_policy_names_its_own_bucket(lake: Lake, bucket: str) -> None:
    """PutBucketPolicy with the resource of another bucket is MalformedPolicy."""
    other = lake.owner.s3_arn(f"{bucket}-other/*")
    policy = document(lets(lake.reader.arn, "s3:GetObject", resource=other))
    refused("MalformedPolicy", lake.owner("s3").put_bucket_policy, match="(?i)resource", Bucket=bucket, Policy=policy)


@assumption("S3 amazon-s3-policy-keys", DOCUMENTED)
def test_a_deny_of_all_but_one_role_binds_the_owner(lake: Lake, bucket: str) -> None:
    """A bucket policy that denies everybody but one role by aws:PrincipalArn denies the account's administrator too.

    lakemesh keeps the results of each principal apart so.
    """
    analyst = lake.local_reader
    objects = lake.owner.s3_arn(f"{bucket}/*")
    deny = {
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": objects,
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": analyst.arn}},
    }  # fmt: skip
    bucket_policy(lake, bucket, deny)
    eventually(partial(refused, DENIED, lake.owner("s3").get_object, Bucket=bucket, Key="raw/a"))
    assert eventually(partial(allowed, analyst("s3").get_object, Bucket=bucket, Key="raw/a"))["Body"].read() == b"data"


@assumption("S3 UsingKMSEncryption", DOCUMENTED)
def test_an_encrypted_object_takes_its_key(lake: Lake, bucket: str) -> None:
    """An object under SSE-KMS is read with kms:Decrypt on its key, besides s3:GetObject."""
    arn = key(lake, lake.owner)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}
    s3 = lake.owner("s3")
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    eventually(partial(s3.put_object, Bucket=bucket, Key="raw/b", Body=b"secret"))
    name = lake.names("reader")
    mine = lake.owner.become(lake.owner.role(lake.undo, name, trust(lake.owner.root), allow("s3:*")))
    eventually(partial(refused, DENIED, mine("s3").get_object, match="kms:Decrypt", Bucket=bucket, Key="raw/b"))
    lake.owner.policy(name, allow("s3:*"), allow("kms:Decrypt", resource=arn))
    assert eventually(partial(allowed, mine("s3").get_object, Bucket=bucket, Key="raw/b"))["Body"].read() == b"secret"


@assumption("S3 access-control-block-public-access", DOCUMENTED)
def test_a_policy_for_named_roles_is_not_public(lake: Lake, bucket: str) -> None:
    """GetBucketPolicyStatus says IsPublic of a policy that allows everybody, and not of one that names roles."""
    objects = lake.owner.s3_arn(f"{bucket}/*")
    bucket_policy(lake, bucket, lets(lake.reader.arn, "s3:GetObject", resource=objects))
    status = eventually(partial(lake.owner("s3").get_bucket_policy_status, Bucket=bucket))
    assert status["PolicyStatus"] == {"IsPublic": False}


# ---------------------------------------------------------------------------------------------------------------- KMS
@assumption("KMS key-policy-modifying-external-accounts", DOCUMENTED)
def test_another_accounts_key_takes_both_policies(lake: Lake, reader: Account) -> None:
    """Using another account's key takes the key's policy and the user's own."""
    arn = key(lake, lake.owner)
    blob = lake.owner("kms").encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    decrypt = partial(reader("kms").decrypt, KeyId=arn, CiphertextBlob=blob)
    may(reader, lake.recipient, allow("kms:Decrypt", resource=arn))
    refused("AccessDeniedException", decrypt)
    key_policy(lake.owner, arn, lets(reader.arn, "kms:Decrypt"))
    assert eventually(partial(allowed, decrypt))["Plaintext"] == b"x"


@assumption("KMS key-policy-default", DOCUMENTED)
def test_a_key_policy_decides_inside_its_account(lake: Lake) -> None:
    """A key is not used without its key policy: the policy that names the account lets the account's policies decide."""
    arn = key(lake, lake.owner)
    blob = lake.owner("kms").encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    name = lake.names("reader")
    mine = lake.owner.become(lake.owner.role(lake.undo, name, trust(lake.owner.root), allow("s3:GetObject")))
    decrypt = partial(mine("kms").decrypt, KeyId=arn, CiphertextBlob=blob)
    refused("AccessDeniedException", decrypt)
    lake.owner.policy(name, allow("kms:Decrypt", resource=arn))
    eventually(partial(allowed, decrypt))


@assumption("KMS key-policy-overview", DOCUMENTED)
def test_a_key_policy_names_who_exists(lake: Lake) -> None:
    """A key policy with a role that does not exist is MalformedPolicyDocumentException."""
    arn = key(lake, lake.owner)
    nobody = f"arn:{lake.recipient.partition}:iam::{lake.recipient.id}:role/{lake.names('nobody')}"
    own = {"Effect": "Allow", "Principal": lake.owner.root, "Action": "kms:*", "Resource": "*"}
    policy = document(own, lets(nobody, "kms:Decrypt"))
    refused(
        "MalformedPolicyDocumentException", lake.owner("kms").put_key_policy, match="(?i)principal",
        KeyId=arn, PolicyName="default", Policy=policy,
    )  # fmt: skip


@assumption("KMS key-policy-overview", DOCUMENTED)
def test_a_key_policy_keeps_its_author_in(lake: Lake) -> None:
    """PutKeyPolicy refuses a policy after which its author could not change it any more."""
    arn = key(lake, lake.owner)
    policy = document(lets(lake.reader.arn, "kms:*"))
    refused(
        "MalformedPolicyDocumentException", lake.owner("kms").put_key_policy,
        KeyId=arn, PolicyName="default", Policy=policy,
    )  # fmt: skip


@assumption("GLUE encrypt-glue-data-catalog", DOCUMENTED)
def test_an_encrypted_catalog_takes_its_key(lake: Lake) -> None:
    """Who reads an encrypted Data Catalog needs kms:Decrypt on its key; the error is GlueEncryptionException.

    Encryption is a setting of a whole account: this is asked on the local AWS alone.
    """
    if not lake.local:
        pytest.skip("would encrypt the sandbox account's catalog with a key that is deleted afterwards")
    third = lake.accounts.producer
    assert third is not None
    arn = key(lake, third)
    database, name = lake.database(third), lake.names("reader")
    third("glue").create_table(DatabaseName=database, TableInput=lake.table_input())
    reader = third.become(third.role(lake.undo, name, trust(third.root), allow("glue:*")))
    third("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": reader.arn}, Permissions=["DESCRIBE"],
        Resource={"Table": {"CatalogId": third.id, "DatabaseName": database, "Name": "orders"}},
    )  # fmt: skip
    lake.shows(reader, database, *COLUMNS, *KEYS)
    encrypted = {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": arn}
    off = {"EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED", "SseAwsKmsKeyId": arn}}
    put = third("glue").put_data_catalog_encryption_settings
    lake.undo.later(put, DataCatalogEncryptionSettings=off)
    put(DataCatalogEncryptionSettings={"EncryptionAtRest": encrypted})
    refused("GlueEncryptionException", reader("glue").get_table, DatabaseName=database, Name="orders")
    third.policy(name, allow("glue:*"), allow("kms:Decrypt", resource=arn))
    lake.shows(reader, database, *COLUMNS, *KEYS)


@assumption("KMS key-policy-overview", INFERRED)
def test_key_policies_read_back(lake: Lake) -> None:
    """GetKeyPolicy returns the statements that were put, with ARNs and not ids while their principals exist.

    lakemesh's handler merges its statements by their Sids into what it reads.
    """
    arn = key(lake, lake.owner)
    statement = {**lets(lake.reader.arn, "kms:Decrypt"), "Sid": "lakemesh"}
    key_policy(lake.owner, arn, statement)

    def there() -> None:
        found = json.loads(lake.owner("kms").get_key_policy(KeyId=arn, PolicyName="default")["Policy"])["Statement"]
        mine = [each for each in found if each.get("Sid") == "lakemesh"]
        assert [each["Principal"]["AWS"] for each in mine] == [lake.reader.arn], found

    eventually(there)
