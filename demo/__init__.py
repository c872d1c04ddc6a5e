"""The demo: a made-up churn model, nearly four weeks of nights, and a real Airflow on this machine."""
