"""What the pages for operators tell them to type is there: commands, options, units, links."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from service.cli import app

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted([DOCS / "operating.md", *DOCS.glob("running-*.md")])
UNITS = sorted((DOCS / "units").iterdir())


def commands() -> Iterator[tuple[str, str]]:
    """Give every command line of ours in the pages: in code blocks and between backticks."""
    for page in PAGES:
        for line in re.findall(r"(?:^|`|-u nurt )(nurt [a-z][^`\n]*)", page.read_text(), re.MULTILINE):
            yield page.name, line.partition("#")[0].partition(">")[0].strip()


@pytest.mark.parametrize(("page", "line"), sorted(set(commands())))
def test_a_command_in_the_pages_is_one_there_is(page: str, line: str):
    command: Any = typer.main.get_command(app)
    words = line.split()[1:]
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"{page}: {line}"
        command = command.commands[words.pop(0)]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    asked = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert asked <= known, f"{page}: {line}"


def test_the_pages_tell_the_commands_this_test_looks_for():
    lines = {line for _, line in commands()}
    assert len(lines) > 20
    assert any(line.startswith("nurt ingest --workers") for line in lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
    for unit in re.findall(r"docs/(units/[a-z.-]+)", page.read_text()):
        assert (DOCS / unit).exists(), unit


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_good_and_name_commands_there_are(unit: Path, tmp_path: Path):
    text = unit.read_text()
    for line in re.findall(r"ExecStart=/opt/nurt/bin/(nurt .*)", text):
        test_a_command_in_the_pages_is_one_there_is(unit.name, line)
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    here = tmp_path / unit.name
    here.write_text(text.replace("/opt/nurt/bin/nurt", "/bin/true"))
    if unit.suffix == ".timer":
        service = unit.with_suffix(".service")
        (tmp_path / service.name).write_text(service.read_text().replace("/opt/nurt/bin/nurt", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
