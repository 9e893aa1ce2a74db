"""Facts of the style sheet: text can be read in both colour schemes, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import service.web

CSS = (Path(service.web.__file__).parent / "static" / "nurt.css").read_text()
LIGHT_PART, DARK_PART = CSS.split("@media (prefers-color-scheme: dark)", 1)
TEXT_ON = [
    ("ink", "card"),
    ("ink", "ground"),
    ("ink", "bad-soft"),
    ("ink", "line-soft"),
    ("muted", "card"),
    ("muted", "ground"),
    ("muted", "line-soft"),
    ("accent", "card"),
    ("accent", "ground"),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("held", "held-soft"),
    ("foreign", "foreign-soft"),
    ("bad", "card"),
    ("bad", "bad-soft"),
    ("good", "good-soft"),
    *(("ink", f"layer-{n}") for n in range(8)),
]


def colours(part: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", part))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    shares = [int(colour[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    "scheme", [colours(LIGHT_PART), colours(LIGHT_PART) | colours(DARK_PART.split("\n}\n")[0])]
)
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_text_has_the_contrast_of_wcag_aa(scheme, text, ground):
    dark, bright = sorted((luminance(scheme[text]), luminance(scheme[ground])))
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_every_layer_of_a_frame_has_a_colour_of_its_own_in_both_schemes():
    for part in (LIGHT_PART, DARK_PART):
        layers = [colour for name, colour in colours(part).items() if name.startswith("layer-")]
        assert len(layers) == len(set(layers)) == 8


def test_the_style_sheet_loads_nothing():
    assert "@import" not in CSS
    assert "url(" not in CSS


def test_focus_is_visible():
    assert ":focus-visible { outline: 3px" in CSS
