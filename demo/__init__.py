"""The demo: a made-up churn model, three weeks of nights, and a real Airflow on this machine."""
