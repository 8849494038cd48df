"""The command line of ``docker run`` or ``podman run`` as the container that it makes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from caphistory.errors import UsageError
from caphistory.questions.containers.compose import forbids_new_privileges
from caphistory.questions.containers.model import DOCKER, Container, find_user

_COMMAND = re.compile(
    r"^\s*(?:[$#>]\s+)?(?:sudo\s+(?:-\S+\s+)*)?(?:\S*/)?(?P<program>docker|podman|nerdctl)\s"
    r"[^|;&]*?\b(?:run|create)\s",
    re.MULTILINE,
)
_FLAGS = frozenset(
    "--detach --disable-content-trust --env-host --help --http-proxy --init --interactive"
    " --no-healthcheck --no-hostname --no-hosts --oom-kill-disable --passwd --privileged"
    " --publish-all --quiet --read-only --read-only-tmpfs --replace --rm --rmi --sig-proxy"
    " --tls-verify --tty --use-api-socket -P -d -i -q -t".split()
)
"""The options of ``run`` without a value; the others have one."""
_SHORT = {"-u": "--user"}


def is_command(text: str) -> bool:
    """Whether ``text`` holds a command line that runs a container."""
    return _COMMAND.search(text) is not None


def read_command(text: str) -> Container:
    """Return the container of the first such command line in ``text``; raise UsageError if its
    quotes do not close."""
    found = _COMMAND.search(text)
    if found is None:
        raise ValueError("the text holds no command line that runs a container")
    line = text[found.end() :].replace("\\\r\n", " ").replace("\\\n", " ").split("\n", 1)[0]
    try:
        words = shlex.split(line, comments=False)
    except ValueError as error:
        raise UsageError(f"the command line is cut off: {error}") from error
    options = list(_read_options(words))
    program = DOCKER if found["program"] != "podman" else "podman"
    return Container(
        next((value for name, value in options if name == "--name"), found["program"]),
        _list_values(options, "--cap-add"),
        _list_values(options, "--cap-drop"),
        ("--privileged", "true") in options,
        find_user(next((value for name, value in options if name == "--user"), None)),
        program,
        userns=any(
            name == "--userns" and value not in ("host", "") for name, value in options
        ),
        no_new_privileges=forbids_new_privileges(_list_values(options, "--security-opt")),
    )


def _read_options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option before the image with its value, ``true`` for a flag."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        name, equals, value = words[at].partition("=")
        at += 1
        if not name.startswith("--") and not equals and len(name) > 2:
            if all(f"-{letter}" in _FLAGS for letter in name[1:]):
                continue
            name, value, equals = name[:2], name[2:], "="
        if not equals and name in _FLAGS:
            value = "true"
        elif not equals:
            value = words[at] if at < len(words) else ""
            at += 1
        yield _SHORT.get(name, name), value


def _list_values(options: Sequence[tuple[str, str]], name: str) -> tuple[str, ...]:
    return tuple(
        part for option, value in options if option == name for part in value.split(",") if part
    )
