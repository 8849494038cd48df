"""The addresses of the explorer's pages, and of source browsers elsewhere.

Addresses are kept: people cite them. Every part that comes from the database is quoted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlencode

from caphistory.wording.source_browser import source as source


class Addresses(NamedTuple):
    """Makes addresses: ``prefixed`` puts Datasette's base URL before a path, ``database`` is
    where Datasette's own pages of the database are, ``abi`` is the system-call table asked for
    (None for the default one), which links go on asking for."""

    prefixed: Callable[[str], str]
    database: str
    abi: str | None = None

    def page(self, *parts: str, **parameters: str | None) -> str:
        """The page at the path ``parts``, with the parameters that are given."""
        path = "/" + "/".join(quote(part, safe="") for part in parts)
        return self._with(path, parameters)

    def home(self) -> str:
        """The home page."""
        return self.prefixed("/")

    def syscall(self, name: str, **parameters: str | None) -> str:
        """The page of a syscall."""
        return self.page("syscall", name, **parameters)

    def diff(self, name: str, **parameters: str | None) -> str:
        """The source between a syscall and its checks, in two releases."""
        return self.page("diff", name, **parameters)

    def privilege(self, name: str, **parameters: str | None) -> str:
        """The page of a capability, or of suser, fsuser, uid0."""
        return self.page("capability", name, **parameters)

    def release(self, name: str) -> str:
        """The page of a release."""
        return self.page("release", name)

    def chain(self, syscall: str, privilege: str, release: str, abi: str = "i386") -> str:
        """The ways from a syscall to the checks of a privilege."""
        path = "/".join(quote(part, safe="") for part in (abi, syscall, privilege))
        return self.prefixed(f"/chain/{path}") + "?" + urlencode({"release": release})

    def function(self, name: str) -> str:
        """The page of a function that holds checks."""
        return self.page("function", name)

    def file(self, path: str) -> str:
        """The page of a file that holds checks."""
        return self._with("/file/" + quote(path), {})

    def _with(self, path: str, parameters: dict[str, str | None]) -> str:
        given = {
            name.rstrip("_"): value
            for name, value in {**parameters, "abi": self.abi}.items()
            if value
        }
        return self.prefixed(path) + ("?" + urlencode(given) if given else "")


def anchor(path: str, line: int) -> str:
    """The name, within the page of its chains, of the check at a line of a file."""
    return f"{quote(path, safe='/')}:{line}"
