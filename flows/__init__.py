"""The Prefect flows: decorators and retries around the same stages; no logic of their own."""
