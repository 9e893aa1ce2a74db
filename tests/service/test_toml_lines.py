"""Every key of a TOML file is found again with its line."""

from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from service.toml_lines import key_lines

SAMPLE = '''# settings
title = "a # b"   # comment

[store]
url = "sqlite:///x.db"
"quoted key" = 1
note = """
[not.a.table]
x = 1
"""

[mqtt.tls]
ca_file = 'a"b'
dotted.inner = 1979-05-27T07:32:00Z

[[topics]]
filter = "a/+"
[topics.options]
gateway = 1
[[topics]]
filter = "b/#"

[web]
lists = [
  { a = 1, "b" = [1, 2] },  # comment ]
  { a = 2 },
]
'''


def leaves(value, path=()):
    """Yield the way to every table, element and value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))


def test_every_key_of_a_rich_file_has_a_line():
    lines = key_lines(SAMPLE)
    unlocated = {way for way in leaves(tomllib.loads(SAMPLE)) if way not in lines}
    assert unlocated == {("mqtt",), ("topics",)}, "only implied tables have no line of their own"


def test_lines_are_those_an_editor_shows():
    lines = key_lines(SAMPLE)
    assert lines["title",] == 2
    assert lines["store", "note"] == 7
    assert lines["mqtt", "tls", "dotted", "inner"] == 14
    assert lines["topics", 0, "options", "gateway"] == 19
    assert lines["topics", 1, "filter"] == 21
    assert lines["web", "lists", 1, "a"] == 26


VALUES = st.recursive(
    st.integers(0, 9).map(str) | st.text(alphabet='a#[]{},"=', max_size=5).map(lambda text: f"'{text}'"),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["k1", "k2", "k3"]), VALUES))
def test_keys_of_any_values_are_found_on_their_own_line(table):
    text = "".join(f"{key} = {value}\n" for key, value in table.items())
    lines = key_lines(text)
    assert set(leaves(tomllib.loads(text))) == set(lines)
    assert [lines[key,] for key in table] == list(range(1, len(table) + 1))
