from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_handlers import policies, policy_statements
from sync_handlers.errors import EventError, HandlerError, IncompleteError, NotDeployedError, RefusedError
from sync_handlers.events import statements_event
from sync_handlers.policy_access import BucketPolicy, KeyPolicy
from tests.sync_handlers.fakes import FakeClient, budget, error

ACCOUNT = "999900002222"
KEY = f"arn:aws:kms:eu-west-3:{ACCOUNT}:key/aaaa"
THEIRS = {"Sid": "OwnersTlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::lake"],
          "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip


def ours(sid: str = "LakemeshRead", **more: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999900001111:root"},
            "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::lake/raw/*", **more}  # fmt: skip


def policy(*statements: dict[str, Any], **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Id": "owners", **more, "Statement": list(statements)})


def merge(existing: str | None, *statements: dict[str, Any], limit: int = policies.BUCKET_BYTES) -> policies.Merged:
    return policies.merge(existing, statements, ("Lakemesh",), "bucket lake", limit)


def test_our_statements_join_those_of_the_owner_which_stay_as_they_are() -> None:
    merged = merge(policy(THEIRS, Custom={"kept": 1}), ours())
    assert merged.changed
    assert json.loads(merged.text or "") == {
        "Version": "2012-10-17", "Id": "owners", "Custom": {"kept": 1}, "Statement": [THEIRS, ours()],
    }  # fmt: skip


def test_a_bucket_without_a_policy_gets_one() -> None:
    assert json.loads(merge(None, ours()).text or "") == {"Version": "2012-10-17", "Statement": [ours()]}


def test_a_single_statement_without_brackets_is_kept() -> None:
    existing = json.dumps({"Version": "2008-10-17", "Statement": THEIRS})
    assert json.loads(merge(existing, ours()).text or "") == {"Version": "2008-10-17", "Statement": [THEIRS, ours()]}


def test_statements_of_the_owner_without_a_sid_are_kept() -> None:
    anonymous = {key: value for key, value in THEIRS.items() if key != "Sid"}
    assert json.loads(merge(policy(anonymous), ours()).text or "")["Statement"] == [anonymous, ours()]


@pytest.mark.parametrize(
    "stored",
    [
        ours(Principal={"AWS": "999900001111"}),
        ours(Principal={"AWS": ["arn:aws:iam::999900001111:root"]}),
        ours(Action=["s3:ListBucket", "s3:GetObject"]),
        ours(Resource=["arn:aws:s3:::lake/raw/*"]),
        dict(reversed(list(ours().items()))),
    ],
)
def test_what_aws_rewrites_without_changing_its_meaning_is_no_difference(stored: dict[str, Any]) -> None:
    assert not merge(policy(stored, THEIRS), ours()).changed


@pytest.mark.parametrize(
    "stored",
    [
        ours(Action=["s3:GetObject"]),
        ours(Effect="Deny"),
        ours(Resource="*"),
        ours(Condition={"Bool": {"x": "true"}}),
        ours("LakemeshOld"),
    ],
)
def test_what_means_something_else_is_put_right(stored: dict[str, Any]) -> None:
    merged = merge(policy(stored, THEIRS), ours())
    assert json.loads(merged.text or "")["Statement"] == [THEIRS, ours()]


def test_removal_leaves_the_owners_statements_and_an_empty_policy_goes() -> None:
    assert json.loads(merge(policy(THEIRS, ours())).text or "")["Statement"] == [THEIRS]
    assert merge(policy(ours())) == policies.Merged(None, changed=True)
    assert not merge(policy(THEIRS)).changed


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"text"', "null", '{"Statement": "x"}', '{"Statement": [1]}', '{"Statement": null}']
)
def test_a_policy_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match=r"bucket lake: .*its owner has to repair it"):
        merge(text, ours())


def test_a_policy_that_would_grow_beyond_its_limit_is_refused_with_figures_and_mend() -> None:
    big = {**THEIRS, "Resource": [f"arn:aws:s3:::lake/{number:06d}" for number in range(900)]}
    with pytest.raises(RefusedError, match=r"bytes, and 20,480 is the limit.*policyStatements: print"):
        merge(policy(big), ours())
    assert merge(policy(big), ours(), limit=policies.KEY_BYTES).changed


_statement = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.lists(st.text("abc:", min_size=1, max_size=4), max_size=3),
    },
    optional={
        "Sid": st.sampled_from(["A", "B", "LakemeshRead", "LakemeshList"]),
        "NotPrincipal": st.just({"AWS": "*"}),
    },
)


@given(st.lists(_statement, max_size=5), st.lists(st.sampled_from(["LakemeshRead", "LakemeshList"]), unique=True))
def test_merging_is_idempotent_and_keeps_everybody_elses_statements(
    existing: list[dict[str, Any]], sids: list[str]
) -> None:
    before = policy(*existing) if existing else None
    merged = merge(before, *(ours(sid) for sid in sids))
    assert not merge(merged.text, *(ours(sid) for sid in sids)).changed
    assert policies.kept(before, merged.text, ("Lakemesh",), "x") or (merged.text is None)


# --------------------------------------------------------------------------------------------------- the handler
class FakeS3(FakeClient):
    service = "s3"

    def __init__(self, **buckets: str | None) -> None:
        super().__init__()
        self.policies: dict[str, str | None] = dict(buckets)

    def get_bucket_policy(self, **params: Any) -> dict[str, Any]:
        self._call("get_bucket_policy", params)
        self._owned(params)
        text = self.policies[params["Bucket"]]
        if text is None:
            raise error("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
        return {"Policy": text}

    def put_bucket_policy(self, **params: Any) -> None:
        self._call("put_bucket_policy", params)
        self._owned(params)
        self.policies[params["Bucket"]] = params["Policy"]

    def delete_bucket_policy(self, **params: Any) -> None:
        self._call("delete_bucket_policy", params)
        self._owned(params)
        self.policies[params["Bucket"]] = None

    def _owned(self, params: dict[str, Any]) -> None:
        assert params["ExpectedBucketOwner"] == ACCOUNT
        if params["Bucket"] not in self.policies:
            raise error("NoSuchBucket", "The specified bucket does not exist", 404)


class FakeKms(FakeClient):
    service = "kms"

    def __init__(self, **keys: str) -> None:
        super().__init__()
        self.policies = {KEY: policy({**THEIRS, "Action": "kms:*"}), **keys}

    def get_key_policy(self, **params: Any) -> dict[str, Any]:
        self._call("get_key_policy", params)
        if params["KeyId"] not in self.policies:
            raise error("NotFoundException", "Key does not exist")
        return {"Policy": self.policies[params["KeyId"]]}

    def put_key_policy(self, **params: Any) -> None:
        self._call("put_key_policy", params)
        assert not params.get("BypassPolicyLockoutSafetyCheck")
        self.policies[params["KeyId"]] = params["Policy"]

    def describe_key(self, **params: Any) -> dict[str, Any]:
        self._call("describe_key", params)
        return {"KeyMetadata": {"Arn": KEY}}


class World:
    def __init__(self) -> None:
        self.s3, self.kms = FakeS3(lake=policy(THEIRS), plain=None), FakeKms()

    def event(self, **more: Any) -> dict[str, Any]:
        return {"action": "statements", "sidPrefix": "Lakemesh", "buckets": [{"bucket": "lake", "statements": [ours()]}, {"bucket": "plain", "statements": [ours()]}],
                "keys": [{"key": KEY, "statements": [ours("LakemeshDecrypt", Action="kms:Decrypt", Resource="*")]}], **more}  # fmt: skip

    def run(self, event: dict[str, Any]) -> dict[str, Any]:
        self.s3.calls.clear()
        self.kms.calls.clear()
        return policy_statements.run(
            statements_event(event),
            lambda bucket: BucketPolicy(self.s3, bucket, ACCOUNT),  # type: ignore[arg-type]
            lambda key: KeyPolicy(self.kms, key),  # type: ignore[arg-type]
            budget(),
        )

    def sids(self, bucket: str) -> list[str]:
        return [statement["Sid"] for statement in json.loads(self.s3.policies[bucket] or "{}").get("Statement", [])]


def test_statements_join_every_policy_once() -> None:
    world = World()
    assert world.run(world.event()) == {"changed": ["bucket lake", "bucket plain", f"key {KEY}"], "unchanged": []}
    assert world.sids("lake") == ["OwnersTlsOnly", "LakemeshRead"]
    assert world.run(world.event()) == {"changed": [], "unchanged": ["bucket lake", "bucket plain", f"key {KEY}"]}
    assert world.s3.writes == world.kms.writes == []


def test_removal_takes_ours_out_and_deletes_the_policy_that_held_nothing_else() -> None:
    world = World()
    before = dict(world.s3.policies)
    world.run(world.event())
    world.run(world.event(tf={"action": "delete"}))
    assert world.sids("lake") == ["OwnersTlsOnly"]
    assert world.s3.policies["plain"] is before["plain"] is None


def test_removal_from_what_is_gone_succeeds() -> None:
    world = World()
    world.s3.policies.clear()
    world.kms.policies.clear()
    assert world.run(world.event(tf={"action": "delete"})) == {"changed": [], "unchanged": []}


def test_a_bucket_that_the_declarations_no_longer_name_is_cleaned() -> None:
    world = World()
    world.run(world.event())
    event = world.event(buckets=[{"bucket": "plain", "statements": [ours()]}])
    event["tf"] = {"action": "update", "prev_input": world.event()}
    assert world.run(event)["changed"] == ["bucket lake"]
    assert world.sids("lake") == ["OwnersTlsOnly"]


def test_statements_under_a_prefix_that_is_no_longer_used_go() -> None:
    world = World()
    world.run(world.event())
    event = {"action": "statements", "sidPrefix": "Mesh", "buckets": [{"bucket": "lake", "statements": [ours("MeshRead")]}], "keys": [],
             "tf": {"action": "update", "prev_input": world.event()}}  # fmt: skip
    world.run(event)
    assert world.sids("lake") == ["OwnersTlsOnly", "MeshRead"]
    assert world.sids("plain") == []


def test_nothing_is_written_when_one_document_is_refused() -> None:
    world = World()
    world.s3.policies["plain"] = "{"
    with pytest.raises(RefusedError, match="bucket plain: its policy is not a JSON object"):
        world.run(world.event())
    assert world.s3.writes == world.kms.writes == []


def test_a_bucket_or_key_that_does_not_exist_is_named_with_the_mend() -> None:
    world = World()
    del world.s3.policies["lake"]
    with pytest.raises(RefusedError, match=rf"bucket lake: there is no such bucket in account {ACCOUNT}.*mesh\.yaml"):
        world.run(world.event())
    world = World()
    world.kms.policies.clear()
    with pytest.raises(RefusedError, match="no such key"):
        world.run(world.event())


def test_a_key_whose_policy_would_be_empty_is_refused() -> None:
    world = World()
    world.kms.policies[KEY] = policy(ours("LakemeshDecrypt"))
    with pytest.raises(IncompleteError, match="nobody could ever manage the key again"):
        world.run(world.event(tf={"action": "delete"}))
    assert world.kms.writes == []


def test_a_key_named_by_its_alias_is_resolved() -> None:
    world = World()
    alias = f"arn:aws:kms:eu-west-3:{ACCOUNT}:alias/lake"
    world.run(world.event(keys=[{"key": alias, "statements": [ours("LakemeshDecrypt")]}]))
    assert "LakemeshDecrypt" in world.kms.policies[KEY]


def test_a_principal_that_does_not_exist_yet_says_what_to_deploy_first() -> None:
    world = World()
    world.s3.fail["put_bucket_policy"] = [error("MalformedPolicy", "Invalid principal in policy")]
    with pytest.raises(IncompleteError, match=r"Invalid principal in policy.*deploy stack central first"):
        world.run(world.event())
    assert issubclass(NotDeployedError, HandlerError)


def test_what_was_changed_before_a_failure_is_said() -> None:
    world = World()
    world.s3.fail["put_bucket_policy"] = [None, error("AccessDenied", "Access Denied", 403)]
    with pytest.raises(
        IncompleteError, match=r"(?s)bucket plain: AccessDenied: Access Denied.*Changed before that: bucket lake, key"
    ):
        world.run(world.event())


def test_a_write_of_somebody_else_in_between_is_noticed() -> None:
    world = World()

    def somebody(params: dict[str, Any]) -> None:
        params["Policy"] = policy(ours())

    world.s3.before["put_bucket_policy"] = somebody
    with pytest.raises(IncompleteError, match="bucket lake: somebody else changed its policy"):
        world.run(world.event())


def test_a_write_that_does_not_show_is_a_failure() -> None:
    world = World()

    def lost(params: dict[str, Any]) -> None:
        params["Policy"] = policy(THEIRS)

    world.s3.before["put_bucket_policy"] = lost
    with pytest.raises(IncompleteError, match="read back, its policy does not hold the mesh's statements"):
        world.run(world.event())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"buckets": [{"bucket": "lake", "statements": [ours("Other")]}]}, "without a Sid that starts with 'Lakemesh'"),
        ({"buckets": [{"bucket": "lake", "statements": [{"Effect": "Allow"}]}]}, "without a Sid"),
        ({"buckets": [{"bucket": "lake", "statements": [ours(), ours()]}]}, "Sids used more than once: LakemeshRead"),
        ({"buckets": [{"bucket": "lake", "statements": []}] * 2}, "named more than once: lake"),
        ({"sidPrefix": ""}, "event.sidPrefix"),
        ({"buckets": {}}, "event.buckets: not a list"),
        ({"keys": [{"key": KEY, "statements": "x"}]}, r"event.keys\[0\].statements"),
    ],
)
def test_an_event_that_could_not_be_undone_is_refused(change: dict[str, Any], message: str) -> None:
    world = World()
    with pytest.raises(EventError, match=message):
        world.run(world.event(**change))
    assert world.s3.writes == []
