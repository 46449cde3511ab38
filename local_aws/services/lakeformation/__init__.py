"""Lake Formation: settings, LF-Tags, grants, locations, and what they decide. Importing it registers its operations.

Each rule names its page of the Lake Formation developer guide ("LF-dg"). Decisions are `lakemesh.access.evaluate`'s.
"""

from local_aws.services.lakeformation import filters, locations, permissions, settings, tags

__all__ = ["filters", "locations", "permissions", "settings", "tags"]
