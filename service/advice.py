"""What ``nurt decode --why-not`` says: for a telegram that failed, what to try.

Text is for people. JSON is one object in one line for each telegram, those that decode included::

    {"meter_id": "KAM-76348799-1b-16", "error": {"code": "missing_key", "message": "...", "offset": 15},
     "advice": [{"name": "key_missing", "sentence": "...", "evidence": {"meter": "KAM-76348799-1b-16"}}]}
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from rich.console import Group
from rich.text import Text

from decoders.errors import SecurityError
from decoders.shipped_layouts import shipped_layouts
from decoders.why_not import Advice, meaning, why_not
from service.decode_lines import Answer
from service.explain import printable, told_trouble

__all__ = ["json_advice", "text_advice"]

_OF_THE_STREAM = frozenset({"counter_back", "not_encrypted"})
"""Troubles the telegram alone does not show."""
_BAD_HEX = Advice(
    "not_hexadecimal",
    "a telegram is written as pairs of hexadecimal digits, L field first; nothing else belongs",
)


def json_advice(given: Answer) -> bytes:
    """Write the advice on one telegram as one line of JSON, line end included."""
    document = {
        "meter_id": str(given.telegram.meter) if given.telegram else None,
        "error": given.trouble,
        "advice": _advice(given),
    }
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def text_advice(given: Answer) -> Group:
    """Tell people what to try; or that nothing is wrong."""
    meter = str(given.telegram.meter) if given.telegram else "no meter can be told"
    if given.trouble is None:
        return Group(Text(f"{meter}: decodes, nothing to try"))
    lines = [
        Text("  - ").append(printable(one.sentence)).append(f"  [{one.name}]", "bright_black")
        for one in _advice(given)
    ]
    return Group(Text(meter, "bold"), *told_trouble(given.trouble), *lines)


def _advice(given: Answer) -> Sequence[Advice]:
    asked, trouble = given.asked, given.trouble
    if trouble is None:
        return ()
    if not asked.frame:
        return (_BAD_HEX,) if trouble.code == "bad_hex" else ()
    found = why_not(asked.frame, asked.keys, shipped_layouts())
    if found or trouble.code == "bad_key":
        return found
    if trouble.code in _OF_THE_STREAM:
        return tuple(meaning(SecurityError(trouble.code, trouble.message), given.telegram))
    return (_of_the_name(given),)


def _of_the_name(given: Answer) -> Advice:
    """Advise where the telegram decodes, but not with the model that was named."""
    model = given.model.name if given.model else ""
    said = f"without {model or 'it'} the telegram decodes; leave the model's name away, or see `nurt models`"
    return Advice("model_wrong", said, {"model": model})
