"""The demo: a made-up churn model, two weeks of nights, and a real Airflow on this machine."""
