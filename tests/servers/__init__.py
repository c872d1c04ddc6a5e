"""Real servers on loopback for the tests: Pushgateway, Prometheus, SMTP, S3, MLflow, webhooks and a browser."""
