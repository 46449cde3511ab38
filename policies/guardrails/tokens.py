"""Type tokens of the resources that rules are about, taken from the classes so that a rename cannot pass unseen."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws


def token(cls: type[pulumi.Resource]) -> str:
    """Token of a resource class. Raises TypeError for a class that has none."""
    found = pulumi.get_type_token(cls)
    if found is None:
        raise TypeError(f"{cls.__name__} has no type token")
    return found


# Lake Formation
PERMISSIONS: Final[str] = token(aws.lakeformation.Permissions)
SETTINGS: Final[str] = token(aws.lakeformation.DataLakeSettings)
LOCATION: Final[str] = token(aws.lakeformation.Resource)
LF_TAG: Final[str] = token(aws.lakeformation.LfTag)
RESOURCE_LF_TAG: Final[str] = token(aws.lakeformation.ResourceLfTag)
RESOURCE_LF_TAGS: Final[str] = token(aws.lakeformation.ResourceLfTags)
OPT_IN: Final[str] = token(aws.lakeformation.OptIn)
# Glue, Athena
DATABASE: Final[str] = token(aws.glue.CatalogDatabase)
TABLE: Final[str] = token(aws.glue.CatalogTable)
CATALOG_ENCRYPTION: Final[str] = token(aws.glue.DataCatalogEncryptionSettings)
CATALOG_POLICY: Final[str] = token(aws.glue.ResourcePolicy)
WORKGROUP: Final[str] = token(aws.athena.Workgroup)
# Sharing and identity
RESOURCE_SHARE: Final[str] = token(aws.ram.ResourceShare)
SHARE_PRINCIPAL: Final[str] = token(aws.ram.PrincipalAssociation)
ROLE: Final[str] = token(aws.iam.Role)
ROLE_POLICY: Final[str] = token(aws.iam.RolePolicy)
POLICY: Final[str] = token(aws.iam.Policy)
USER_POLICY: Final[str] = token(aws.iam.UserPolicy)
GROUP_POLICY: Final[str] = token(aws.iam.GroupPolicy)
ROLE_POLICY_ATTACHMENT: Final[str] = token(aws.iam.RolePolicyAttachment)
KEY: Final[str] = token(aws.kms.Key)
KEY_POLICY: Final[str] = token(aws.kms.KeyPolicy)
# Storage
BUCKET: Final[str] = token(aws.s3.Bucket)
BUCKET_POLICY: Final[str] = token(aws.s3.BucketPolicy)
PUBLIC_ACCESS_BLOCK: Final[str] = token(aws.s3.BucketPublicAccessBlock)
BUCKET_ENCRYPTION: Final[str] = token(aws.s3.BucketServerSideEncryptionConfiguration)
STREAM: Final[str] = token(aws.kinesis.Stream)
FILE_SYSTEM: Final[str] = token(aws.efs.FileSystem)
VOLUME: Final[str] = token(aws.ebs.Volume)
DB_INSTANCE: Final[str] = token(aws.rds.Instance)
DB_CLUSTER: Final[str] = token(aws.rds.Cluster)
WAREHOUSE: Final[str] = token(aws.redshift.Cluster)
# Operations
QUEUE: Final[str] = token(aws.sqs.Queue)
QUEUE_POLICY: Final[str] = token(aws.sqs.QueuePolicy)
QUEUE_REDRIVE: Final[str] = token(aws.sqs.RedrivePolicy)
TOPIC: Final[str] = token(aws.sns.Topic)
TOPIC_POLICY: Final[str] = token(aws.sns.TopicPolicy)
BUS_POLICY: Final[str] = token(aws.cloudwatch.EventBusPolicy)
BUS_PERMISSION: Final[str] = token(aws.cloudwatch.EventPermission)
ALARM: Final[str] = token(aws.cloudwatch.MetricAlarm)
COMPOSITE_ALARM: Final[str] = token(aws.cloudwatch.CompositeAlarm)
LOG_GROUP: Final[str] = token(aws.cloudwatch.LogGroup)
FUNCTION: Final[str] = token(aws.lambda_.Function)
FUNCTION_PERMISSION: Final[str] = token(aws.lambda_.Permission)
EVENT_SOURCE: Final[str] = token(aws.lambda_.EventSourceMapping)
# lakemesh's own component: a stack policy sees what it registers as outputs.
TABLE_TAGS: Final = "lakemesh:index:TableTags"
STACK: Final = "pulumi:pulumi:Stack"
