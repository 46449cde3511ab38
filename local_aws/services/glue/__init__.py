"""AWS Glue: the Data Catalog, with its own store (moto's lacks paging, limits, versions and links)."""

from local_aws.services.glue import databases, partitions, settings, tables

__all__ = ["databases", "partitions", "settings", "tables"]
