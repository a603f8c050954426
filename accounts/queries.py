"""The named statements of this package."""

from pathlib import Path

from kernel.sql import load_queries

QUERIES = load_queries(Path(__file__).parent / "sql")
