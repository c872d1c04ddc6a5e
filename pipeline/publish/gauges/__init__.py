"""Prometheus gauges, and pushing them to a Pushgateway."""
