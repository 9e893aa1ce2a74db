"""The one handler of the command line: sentences, exit codes, never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metering.errors import ImportRefused, RowFault, StoreUnavailable
from service import cli


def nurt(capsys, *arguments: str) -> tuple[int, str, str]:
    """Run one command in this process: exit code, what it said, what it complained."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def failing(monkeypatch):
    """Let ``nurt db version`` raise something."""

    def fail_with(error: Exception) -> None:
        def fail(_config: object) -> None:
            raise error

        monkeypatch.setattr("service.commands.database.settings_in_force", fail)

    return fail_with


def test_an_error_of_ours_is_one_sentence_and_exit_code_1(capsys, failing):
    failing(StoreUnavailable("the disk under x is full; free some space"))
    assert nurt(capsys, "db", "version") == (1, "", "nurt: the disk under x is full; free some space\n")


def test_a_refused_file_shows_at_most_50_faults_and_counts_the_rest(capsys, failing):
    failing(ImportRefused("m.csv", [RowFault(row, None, "wrong") for row in range(2, 62)]))
    code, out, err = nurt(capsys, "db", "version")
    lines = err.splitlines()
    assert (code, out, len(lines)) == (1, "", 52)
    assert lines[0] == "nurt: m.csv: nothing imported, 60 fault(s)"
    assert lines[1] == "  row 2: wrong"
    assert lines[-1] == "  and 10 more"


def test_a_defect_leaves_its_traceback_in_a_file_and_says_where(capsys, failing, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing(ZeroDivisionError("of ours"))
    code, out, err = nurt(capsys, "db", "version")
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    (log,) = re.findall(r"\S+\.log", err)
    text = Path(log).read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "ZeroDivisionError: of ours" in text
    assert Path(log).stat().st_mode & 0o077 == 0


def test_a_wrong_command_line_is_exit_code_2(capsys):
    code, out, err = nurt(capsys, "db", "upgrad")
    assert (code, out) == (2, "")
    assert "upgrad" in err


def test_the_release_is_told(capsys):
    assert nurt(capsys, "--version")[:2] == (0, "nurt 0.1.0\n")


def commands() -> list[tuple[str, ...]]:
    """Every command there is."""
    names = [(one.name or one.callback.__name__,) for one in cli.app.registered_commands]
    for group in cli.app.registered_groups:
        inner = group.typer_instance.registered_commands
        names += [(group.name, one.name or one.callback.__name__) for one in inner]
    return names


COMMANDS = commands()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command, capsys):
    code, out, _ = nurt(capsys, *command, "--help")
    assert code == 0
    assert "Examples" in out
    assert out.count(f"nurt {' '.join(command)}") >= 2, "usage and at least one example"


def test_commands_are_found():
    assert {("run",), ("db", "upgrade"), ("keys", "rotate-master"), ("billing", "rules"), ("replay",)} <= set(
        COMMANDS
    )
