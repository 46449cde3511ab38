"""Lambda functions that need lakemesh itself. Each is bundled with what it imports, and nothing compiled
(`lakemesh.deploy.bundles`); `sync_handlers/` holds those that need nothing of it.
"""
