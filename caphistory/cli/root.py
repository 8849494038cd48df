"""The command ``caphistory`` itself and the commands below it, loaded when they are used."""

from __future__ import annotations

import os
from importlib import import_module

import click

from caphistory import __version__
from caphistory.cli.session import Session, global_options

COMMANDS = (
    "which",
    "syscall",
    "transition",
    "why",
    "show",
    "diff",
    "capability",
    "container",
    "releases",
    "audit",
    "serve",
    "index",
    "export",
)
"""The commands in the order of their usefulness; each is ``command`` in a module of its name."""


class Root(click.Group):
    """The group of the commands; a command's module is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command ``cmd_name``, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"caphistory.cli.commands.{cmd_name}").command
        return command


@click.group(
    name="caphistory",
    cls=Root,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def root(context: click.Context) -> None:
    """Which syscalls check which privilege, in which Linux release, where, and since when.

    Without a command: what the database holds, and where to start.

    \b
    Examples:
      caphistory which CAP_SYS_CHROOT --release 2.2.24
      caphistory syscall setgid
      caphistory transition 2.0.40 2.2.24
      caphistory why bind CAP_NET_BIND_SERVICE --release 2.2.24
      caphistory serve
    """
    # https://no-color.org: any value that is not empty.
    context.color = False if os.environ.get("NO_COLOR") else None
    if context.invoked_subcommand is None:
        from caphistory.cli.overview import print_overview

        print_overview(context.ensure_object(Session))


root.params += global_options(release=True)
