"""The `actlab` command: one module a noun, put together in `main`."""
