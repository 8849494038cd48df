"""``caphistory completion``: tab completion for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from caphistory.cli.session import subcommand
from caphistory.cli.text import echo


@subcommand("completion")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> None:
    """Print the script for tab completion in SHELL.

    \b
    Examples:
      caphistory completion bash > ~/.local/share/bash-completion/completions/caphistory
      caphistory completion zsh > ~/.zfunc/_caphistory
      caphistory completion fish > ~/.config/fish/completions/caphistory.fish
    """
    completion = get_completion_class(shell)
    assert completion is not None  # click knows all three
    root = click.get_current_context().find_root().command
    echo(completion(root, {}, "caphistory", "_CAPHISTORY_COMPLETE").source(), nl=False)
