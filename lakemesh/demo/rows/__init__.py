"""The rows of the sample, one module a business area. They belong to the sample; ids of accounts never stand here."""
