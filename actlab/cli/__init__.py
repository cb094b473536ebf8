"""The `actlab` command: one module a noun, assembled in `main`."""
