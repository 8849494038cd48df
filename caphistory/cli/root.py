"""The command ``caphistory`` and its subcommands, which are imported when used."""

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
    "documented",
    "releases",
    "audit",
    "serve",
    "index",
    "export",
    "database",
    "completion",
)
"""The commands, the most useful first; each is ``command`` in the module of its name."""


_SENTENCE = 200
"""The maximum length of the first sentence of a command's help, so long that none is cut."""


class Root(click.Group):
    """The group of commands; it imports the module of a command when that is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command ``cmd_name``, None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"caphistory.cli.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that ``args`` begin with; raise UsageError, naming the nearest, if
        there is none."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            nearest = ", ".join(get_close_matches(args[0], COMMANDS, n=3))
            hint = f"nearest: {nearest}" if nearest else f"there are: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, each with the whole first sentence of its help."""
        rows = [
            (name, command.get_short_help_str(_SENTENCE))
            for name in COMMANDS
            if (command := self.get_command(ctx, name)) is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


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
