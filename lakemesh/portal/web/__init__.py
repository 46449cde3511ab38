"""The portal as an ASGI application: pages by HTMX, the same as JSON, sign-in by OpenID Connect."""
