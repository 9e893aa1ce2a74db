"""``nurt operators``: who may sign in to the operators' pages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.options import Config, settings_in_force

if TYPE_CHECKING:
    from pathlib import Path

    from service.operators.book import OperatorFile

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Who may sign in to the operators' pages, and as what.")

Name = Annotated[str, typer.Argument(help="Name as it stands under decisions: letters, digits, . _ - @")]


@app.command()
def add(
    name: Name,
    role: Annotated[
        str,
        typer.Option(help="reader: look; operator: decide; second: also agree to what another one decided."),
    ] = "",
    ask: Annotated[bool, typer.Option("--ask", help="Type the password instead of getting one.")] = False,  # noqa: FBT002  an option
    config: Config = None,
) -> None:
    """Let somebody sign in, or give them a new password or another role. Their sessions end.

    A password is made and shown once; with --ask it is typed, or read from standard input. Only its hash is
    kept, in the operators file ([web] operators_file).

    **Examples**

        nurt operators add anna.kowal
        nurt operators add j.lis --role second --ask
    """
    from metering.errors import InvalidValue
    from service.operators.book import Role
    from service.operators.passwords import new_password

    if role and role not in set(Role):
        raise InvalidValue(f"{role[:20]!r} is no role: {', '.join(Role)}")
    file = _file(config)
    password = _typed() if ask else new_password()
    file.put(name, Role(role) if role else None, password)
    kept = file.book().person(name)
    typer.echo(f"{name} may sign in as {kept.role.value if kept else role} now; kept in {file.path}.")
    if not ask:
        typer.echo(f"The password, shown once:\n{password}")


@app.command("list")
def list_(config: Config = None) -> None:
    """List who may sign in.

    **Examples**

        nurt operators list
    """
    from service.text_table import text_table

    file = _file(config)
    people = sorted(file.book().people.values(), key=lambda one: one.name.casefold())
    if not people:
        typer.echo(f"Nobody yet: {file.path} names no operator. Make one with nurt operators add NAME.")
        return
    for line in text_table([{"name": one.name, "role": one.role.value} for one in people]):
        typer.echo(line)


@app.command()
def remove(name: Name, config: Config = None) -> None:
    """Let somebody in no more; their sessions end at once.

    **Examples**

        nurt operators remove anna.kowal
    """
    from metering.errors import InvalidValue

    file = _file(config)
    if not file.remove(name):
        raise InvalidValue(f"{file.path} names no {name[:60]!r}; nurt operators list says who there is")
    typer.echo(f"{name} is let in no more.")


def _file(config: Path | None) -> OperatorFile:
    from service.operators.book import OperatorFile
    from service.operators.wiring import file_of

    return OperatorFile(file_of(settings_in_force(config).settings))


def _typed() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")
