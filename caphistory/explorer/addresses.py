"""Make the addresses of the explorer's pages, and of source browsers elsewhere.

Addresses must not change: people cite them. Every part that comes from the database is quoted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, urlencode

from caphistory.wording.source_browser import link_to_source as link_to_source


class Addresses(NamedTuple):
    """A maker of addresses.

    ``prefixed`` puts Datasette's base URL before a path; ``database`` is the path of Datasette's
    own pages of the database; ``abi`` is the system-call table asked for (None for the default),
    which links keep.
    """

    prefixed: Callable[[str], str]
    database: str
    abi: str | None = None

    def page(self, *parts: str, **parameters: str | None) -> str:
        """Return the address of the page at the path ``parts``, with the set parameters."""
        path = "/" + "/".join(quote(part, safe="") for part in parts)
        return self._with(path, parameters)

    def home(self) -> str:
        """Return the address of the home page."""
        return self.prefixed("/")

    def syscall(self, name: str, **parameters: str | None) -> str:
        """Return the address of a syscall's page."""
        return self.page("syscall", name, **parameters)

    def diff(self, name: str, **parameters: str | None) -> str:
        """Return the address of the source between a syscall and its checks, in two releases."""
        return self.page("diff", name, **parameters)

    def privilege(self, name: str, **parameters: str | None) -> str:
        """Return the address of the page of a capability, or of suser, fsuser, uid0."""
        return self.page("capability", name, **parameters)

    def release(self, name: str) -> str:
        """Return the address of a release's page."""
        return self.page("release", name)

    def chain(
        self,
        syscall: str,
        privilege: str,
        release: str,
        abi: str = "i386",
        **parameters: str | None,
    ) -> str:
        """Return the address of the chains from a syscall to the checks of a privilege."""
        path = "/".join(quote(part, safe="") for part in (abi, syscall, privilege))
        given = {name: value for name, value in parameters.items() if value}
        return self.prefixed(f"/chain/{path}") + "?" + urlencode({"release": release, **given})

    def function(self, name: str) -> str:
        """Return the address of the page of a function that holds checks."""
        return self.page("function", name)

    def file(self, path: str) -> str:
        """Return the address of the page of a file that holds checks."""
        return self._with("/file/" + quote(path), {})

    def _with(self, path: str, parameters: dict[str, str | None]) -> str:
        given = {
            name.rstrip("_"): value
            for name, value in {**parameters, "abi": self.abi}.items()
            if value
        }
        return self.prefixed(path) + ("?" + urlencode(given) if given else "")


def anchor(path: str, line: int) -> str:
    """Return the fragment identifier, in a page of chains, of the check at a line of a file."""
    return f"{quote(path, safe='/')}:{line}"
