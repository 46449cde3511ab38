"""The portal: find data, ask for it, decide, and have the decision provisioned by the mesh's own YAML and `up`."""
