"""The demonstration: seed producers as one finds them, deploy a mesh, prove by real calls who can read what."""
