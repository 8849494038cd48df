"""The reference section of the README, made from the commands and the schema themselves.

``python -m tests.documentation.reference`` writes it, and the answers, into README.md.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click

from caphistory.cli.root import COMMANDS, root
from caphistory.questions.queries import queries
from caphistory.store.schema import VIEWS

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN = "<!-- reference: made by python -m tests.documentation.reference -->"
END = "<!-- end of reference -->"
ANSWER = re.compile(
    r"<!-- answer: (?P<command>(?:caphistory|python -m tests\.)[^\n]*) -->\n"
    r"(?P<text>.*?)<!-- end of answer -->\n",
    re.DOTALL,
)


def reference() -> str:
    """The commands with their options, the views with their columns, and the queries."""
    return "\n".join((_commands(), _views(), _queries()))


def _commands() -> str:
    everywhere = {tuple(option.opts) for option in root.params}
    parts = ["### Commands", "", "Before or after any command:", ""]
    parts += _options(root.params)
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        assert command is not None
        context = click.Context(command, info_name=f"caphistory {name}")
        usage = " ".join(piece for piece in command.collect_usage_pieces(context))
        parts += [
            "",
            f"#### `caphistory {name} {usage.replace('[OPTIONS]', '').strip()}`".rstrip(),
            "",
        ]
        parts += [" ".join((command.help or "").split("\b")[0].split())]
        own = [one for one in command.params if tuple(one.opts) not in everywhere]
        listed = _options(own)
        parts += ["", *listed] if listed else []
    return "\n".join(parts) + "\n"


def _options(parameters: list[click.Parameter]) -> list[str]:
    return [
        f"- `{', '.join(option.opts)}{_value(option)}`: {option.help}"
        for option in parameters
        if isinstance(option, click.Option)
    ]


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return " " + "|".join(option.type.choices)
    return f" {option.metavar}"


def _views() -> str:
    parts = ["### Views", ""]
    for view in VIEWS:
        parts += [
            f"#### `{view.name}`",
            "",
            f"{view.description}.",
            "",
            "| column | |",
            "|---|---|",
        ]
        parts += [
            f"| `{column}` | {text.replace('|', chr(92) + '|')} |"
            for column, text in view.columns.items()
        ]
        parts += [""]
    return "\n".join(parts)


def _queries() -> str:
    parts = [
        "### Questions",
        "",
        "Each is a file `queries/NAME.sql` and a page of the explorer.",
        "",
    ]
    for query in queries().values():
        parts += [f"- `{query.name}`: {query.title}. {query.description}"]
        parts += [
            f"  - `{parameter.name}`: {parameter.description} (default: {parameter.default})"
            for parameter in query.parameters
        ]
    return "\n".join(parts) + "\n"


def answered(command: str) -> str:
    """What ``command`` prints on the shipped database: as a code block, or, of a command that
    measures (``python -m …``), the table that it prints."""
    program, *arguments = shlex.split(command)
    if program == "python":
        return f"`{command}` prints:\n\n{_said(arguments)}\n"
    main = ["-c", "from caphistory.cli import main; main()", *arguments]
    if arguments and "--format" not in arguments:
        main += ["--format", "table"]
    return f"```console\n$ {command}\n{_said(main)}\n```\n"


def _said(arguments: list[str]) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env=_environment(),
    )
    return ran.stdout.strip()


def _environment() -> dict[str, str]:
    """Every answer is 100 columns wide and comes from the shipped facts, not the user's."""
    import os
    import tempfile

    return os.environ | {
        "COLUMNS": "100",
        "PYTHONUTF8": "1",
        "XDG_DATA_HOME": str(Path(tempfile.gettempdir()) / "caphistory-without-own-database"),
    }


def with_reference(readme: str) -> str:
    """``readme`` with the reference as it is now."""
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def with_answers(readme: str) -> str:
    """``readme`` with every answer as it is now."""
    return ANSWER.sub(
        lambda answer: (
            f"<!-- answer: {answer['command']} -->\n"
            f"{answered(answer['command'])}<!-- end of answer -->\n"
        ),
        readme,
    )


if __name__ == "__main__":
    README.write_text(with_answers(with_reference(README.read_text("utf-8"))), "utf-8")
