"""The Prefect flows: decorators and retries around the same stages; no logic of their own."""

import logging
import os

# Prefect reads its settings when it is imported, so they are set here, before any flow is. Its own
# server needs longer than the default 20 s to start on a small machine, and nothing is reported to
# Prefect's makers.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

# Prefect forwards the records of loggers that it is told of (prefect.toml), but only those that
# pass the logger's own level.
logging.getLogger("synthgen").setLevel(logging.INFO)
