"""What the deploying roles are allowed and no deployment to the local AWS asks for, each with its reason.

The proof accepts nothing else: a permission that is neither asked for nor named here fails it.
"""

from __future__ import annotations

READ_BACK = "the real provider reads it back of every such resource, or waits for it; the local one does not"
OTHER_EDIT = "an update of an input that the sample's edit leaves as it is"
IN_ITS_NAME = (
    "Lake Formation does it in the grantor's name when it shares with another account; no caller is asked here"
)
ENGINE = "Pulumi's own command keeps its state in S3 and its secrets under a key; the in-process engine does neither"
LAYER = "Lambda asks whether the caller may read a layer; the local AWS puts the layer's library there itself"
UNVERSIONED = "the provider deletes objects by their version, and where a bucket has none AWS may ask for this"
UNCONFIRMED = "a subscription that nobody has confirmed is not unsubscribed: SNS forgets it after three days"
S3_TAGS = "tags of a bucket by S3 Control, from Terraform AWS provider 6.23 on; the local provider uses the older calls"

STATEMENTS = {
    "FindState": ENGINE,
    "LakeFormationKeepsItsShares": IN_ITS_NAME,
    "LakeFormationMakesShares": IN_ITS_NAME,
    "LakeFormationWritesTheCatalogsPolicy": IN_ITS_NAME,
    "LakeFormationsPermissionsOnShares": IN_ITS_NAME,
    "PowertoolsLayer": LAYER,
    "SecretsInState": ENGINE,
    "State": ENGINE,
}
"""Whole statements, by Sid."""

ACTIONS = {
    "athena:ListTagsForResource": READ_BACK,
    "athena:UntagResource": OTHER_EDIT,
    "athena:UpdateWorkGroup": OTHER_EDIT,
    "cloudwatch:ListTagsForResource": READ_BACK,
    "cloudwatch:UntagResource": OTHER_EDIT,
    "dynamodb:ListTagsOfResource": READ_BACK,
    "dynamodb:UntagResource": OTHER_EDIT,
    "events:ListTagsForResource": READ_BACK,
    "events:UntagResource": OTHER_EDIT,
    "glue:GetTags": READ_BACK,
    "glue:UntagResource": OTHER_EDIT,
    "glue:UpdateDatabase": OTHER_EDIT,
    "iam:CreatePolicyVersion": OTHER_EDIT,
    "iam:DeletePolicyVersion": OTHER_EDIT,
    "iam:ListInstanceProfilesForRole": READ_BACK,
    "iam:ListRolePolicies": READ_BACK,
    "iam:PutRolePermissionsBoundary": OTHER_EDIT,
    "iam:UntagPolicy": OTHER_EDIT,
    "iam:UntagRole": OTHER_EDIT,
    "iam:UpdateAssumeRolePolicy": OTHER_EDIT,
    "iam:UpdateRole": OTHER_EDIT,
    "iam:UpdateRoleDescription": OTHER_EDIT,
    "kms:DisableKeyRotation": OTHER_EDIT,
    "kms:Encrypt": "Glue's page asks for it beside the two that the local AWS knows to be asked",
    "kms:ListResourceTags": READ_BACK,
    "kms:PutKeyPolicy": OTHER_EDIT,
    "kms:UntagResource": OTHER_EDIT,
    "kms:UpdateAlias": OTHER_EDIT,
    "kms:UpdateKeyDescription": OTHER_EDIT,
    "lambda:DeleteFunctionConcurrency": OTHER_EDIT,
    "lambda:GetFunctionCodeSigningConfig": READ_BACK,
    "lambda:GetFunctionConfiguration": READ_BACK,
    "lambda:ListTags": READ_BACK,
    "lambda:ListVersionsByFunction": READ_BACK,
    "lambda:UntagResource": OTHER_EDIT,
    "lambda:UpdateEventSourceMapping": OTHER_EDIT,
    "logs:DeleteRetentionPolicy": OTHER_EDIT,
    "logs:ListTagsForResource": READ_BACK,
    "logs:UntagResource": OTHER_EDIT,
    "ram:GetResourceShareAssociations": IN_ITS_NAME,
    "s3:DeleteObject": UNVERSIONED,
    "s3:GetAccelerateConfiguration": READ_BACK,
    "s3:GetBucketAcl": READ_BACK,
    "s3:GetBucketCORS": READ_BACK,
    "s3:GetBucketLocation": READ_BACK,
    "s3:GetBucketLogging": READ_BACK,
    "s3:GetBucketObjectLockConfiguration": READ_BACK,
    "s3:GetBucketRequestPayment": READ_BACK,
    "s3:GetBucketTagging": READ_BACK,
    "s3:GetBucketVersioning": READ_BACK,
    "s3:GetBucketWebsite": READ_BACK,
    "s3:GetReplicationConfiguration": READ_BACK,
    "s3:ListTagsForResource": S3_TAGS,
    "s3:TagResource": S3_TAGS,
    "s3:UntagResource": S3_TAGS,
    "sns:ListTagsForResource": READ_BACK,
    "sns:Unsubscribe": UNCONFIRMED,
    "sns:UntagResource": OTHER_EDIT,
    "sqs:ListQueueTags": READ_BACK,
    "sqs:UntagQueue": OTHER_EDIT,
}
"""Single actions of statements that are used otherwise."""
