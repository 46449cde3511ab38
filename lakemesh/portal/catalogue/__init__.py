"""Discovery: what there is to find, for whom, and what a page about it says. Nothing here reads any data."""
