"""What each account of a mesh needs before its first deployment, as values: nothing here calls AWS or writes a file.

`templates` are CloudFormation templates, one an account; `guardrails` are the organization's service control policies;
`files` is all of it as text, with a page of what to run. docs/bootstrap.md says how they are used.
"""
