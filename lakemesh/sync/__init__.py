"""The sync from a terminal: how it stands, to start it, to prove both sides equal, to let deletions through."""
