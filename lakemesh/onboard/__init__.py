"""Onboarding: read a live account, propose its entries in the mesh directory, write them once a person agrees.

`account` is the only module that calls AWS, and it only reads. `*_plan` modules are pure: facts and declarations in, a
proposal out. `proposal` is the only one that writes.
"""
