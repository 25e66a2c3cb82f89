"""Runs on a real S3 server."""

from __future__ import annotations

from tests.s3 import s3, s3_line, s3_server

__all__ = ["s3", "s3_line", "s3_server"]
