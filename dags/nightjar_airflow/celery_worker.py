"""Imports ahead of a Celery worker's processes, where Celery is told to import this before it forks them.

AIRFLOW__CELERY__EXTRA_CELERY_CONFIG={"imports": ["nightjar_airflow.celery_worker"]}
"""

from __future__ import annotations

from nightjar_airflow import preload

if preload.is_wanted():
    preload.preload_tasks()
