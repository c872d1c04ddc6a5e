"""What libraries may log: they know nothing of our secrets, so some put addresses with tokens into their messages."""

from __future__ import annotations

import logging

_UNHEARD = "apprise"
"""Its errors quote the URL that it cannot read. What a service answered is asked of it for each message."""
_ERRORS_ONLY = ("urllib3", "urllib3.connectionpool", "requests", "prometheus_client")
"""Their warnings of another attempt quote paths, which hold tokens of webhooks."""
_NO_DETAILS = ("boto3", "botocore", "s3transfer", "mlflow", "sqlalchemy", "httpx", "httpcore")
"""Their debugging quotes headers, credentials and addresses of databases."""


def quieten() -> None:
    """Let no library log what may be a secret, whatever level the process logs at; a stricter level stays."""
    unheard = logging.getLogger(_UNHEARD)
    unheard.propagate = False
    if not unheard.handlers:
        unheard.addHandler(logging.NullHandler())  # or what nobody handles goes to the terminal
    for level, names in ((logging.ERROR, _ERRORS_ONLY), (logging.WARNING, _NO_DETAILS)):
        for name in names:
            logger = logging.getLogger(name)
            logger.setLevel(max(logger.level, level))
