"""Middlewares, one for each task. Each checks or changes every request before a route receives it."""
