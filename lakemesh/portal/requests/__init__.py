"""Requests for access: what is asked, what happened to it, and what may happen next. Pure but for `log`."""
