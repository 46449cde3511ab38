"""Lambda code of the mesh: metadata sync, LF-Tags on tables, policy statements, acceptance of shares.

Each function is a thin handler (`sync`, `tag`, `policy_statements`, `accept_shares`) over pure logic (`planner`,
`tagging`, `policies`, `shares`), and reaches AWS through one `*_access` module. Nothing here reads YAML or imports
lakemesh: what is wanted comes from `manifest.json`, which travels in the same bundle.
"""
