"""The record layouts of compact frames that the meter models know."""

from __future__ import annotations

from decoders.models import models
from decoders.wmbus.layouts import Layouts

__all__ = ["shipped_layouts"]


def shipped_layouts() -> Layouts:
    """Give a new registry that knows the layouts of every model; it learns more as it is used.

    Raises:
        ModelFileError: a model file is wrong.
    """
    return Layouts(layout.headers for model in models().values() for layout in model.layouts)
