"""Tickets: each request has one, kept in step with it, in whatever system the company works with."""
