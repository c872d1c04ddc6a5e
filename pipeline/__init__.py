"""Nightjar: a nightly monitor for machine-learning models."""

import os

from pipeline.processor import prepare_numpy

__version__ = "0.1.0"

# Several libraries report their use to their makers. A monitor that sees production data sends nothing to anyone it was
# not told about, and does not wait for such a connection in a closed network. Who wants them sets these variables.
for _variable, _off in {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",  # MLflow warns where git is not installed
}.items():
    os.environ.setdefault(_variable, _off)

prepare_numpy()
