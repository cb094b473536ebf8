"""What a monitoring system reads of a service, in the format of Prometheus."""
