"""Metrics of a service, in the format of Prometheus."""
