"""``python -m tests.documentation.manual FOLDER`` writes a page of section 1 of the manual for each
command into a folder, from the help texts (with click-man, which CI installs)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from caphistory import __version__
from caphistory.cli.root import COMMANDS, root


def write_manual(folder: Path) -> None:
    """Make the folder and write the pages."""
    from click_man.core import write_man_pages

    folder.mkdir(parents=True, exist_ok=True)
    context = click.Context(root)
    for name in COMMANDS:
        command = root.get_command(context, name)
        assert command is not None
        # The whole first sentence; click-man asks the group itself for its commands.
        command.short_help = command.get_short_help_str(200)
        root.commands[name] = command
    root.short_help = root.get_short_help_str(200)
    write_man_pages("caphistory", root, version=__version__, target_dir=str(folder))


if __name__ == "__main__":
    write_manual(Path(sys.argv[1]))
