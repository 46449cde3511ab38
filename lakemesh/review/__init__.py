"""The review of columns: recommendations, people's decisions on them, and the way of a decision into a contract.

The recogniser (`lakemesh.classification`) judges, people decide, this package keeps the two apart: it never changes a
decision, and never a contract but by one.
"""
