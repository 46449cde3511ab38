"""From an approved request to a line of the mesh's YAML, and to what became of it. Nothing here can grant."""
