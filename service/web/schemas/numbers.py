"""Exact numbers in JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import WithJsonSchema

__all__ = ["Exact"]

Exact = Annotated[
    Decimal,
    WithJsonSchema(
        {"type": "number", "description": "exact decimal, written digit for digit as it is stored"}
    ),
]
"""A JSON number that never went through binary floating point."""
