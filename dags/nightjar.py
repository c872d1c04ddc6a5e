"""The DAGs of all monitors. In an Airflow of your own, these two lines are all it takes."""

from nightjar_airflow import build_dags

build_dags()
