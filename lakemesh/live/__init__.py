"""Accounts as they are: Lake Formation, Glue and RAM, read page by page into the values that `lakemesh.access` judges.

Nothing here writes. `mesh` knows which accounts there are; the rest imports nothing that a Lambda function could not
carry.
"""
