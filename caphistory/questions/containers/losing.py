"""What containers lose: the requirements of a release that their sets of capabilities do not
meet."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caphistory.questions.containers.model import NONE, CapabilitySet, Container
from caphistory.questions.containers.runtimes import Given, combine_set, list_held, make_given
from caphistory.questions.needs import asks_first_namespace, order_requirements
from caphistory.questions.queries import ask
from caphistory.records import Row


@dataclass(frozen=True)
class Losses:
    """What one container cannot do, by the rules of one runtime.

    ``held`` is the set asked about and ``names`` the capabilities of the release in it,
    ``bounding`` those that its programs may get at most, ``defined`` how many the release has;
    ``rows`` are the requirements that it does not meet.
    """

    container: Container
    given: Given
    held: CapabilitySet
    names: frozenset[str]
    bounding: frozenset[str]
    defined: int
    rows: list[Row]

    def is_unmendable(self, row: Row) -> bool:
        """Whether no capability of its user namespace meets a requirement."""
        return self.container.userns and asks_first_namespace(row)

    def describe_refusal(self) -> str:
        """Return that the runtime does not start the container, and why; "" if it does."""
        if not self.given.refused:
            return ""
        return f"{self.given.runtime or 'the runtime'} does not start it: {self.given.refused}"

    def list_remarks(self) -> list[str]:
        """Return what a person should know of the set: what is ignored, what is out of reach."""
        remarks = [*self.given.remarks]
        container = self.container
        if container.privileged:
            remarks.append("privileged: it holds every capability")
        is_most = self.held == self.given.bounding
        if container.user is not None and container.sets is None and not is_most:
            most = (
                "no program of it gets more (no new privileges)"
                if container.no_new_privileges
                else "a program with capabilities of its own may get more (--bounding)"
            )
            holds = "and holds what is added" if self.names else "so it holds none"
            remarks.append(f"runs as {container.user}, {holds}; {most}")
        return remarks


class LossFinder:
    """Finds what containers lose on one release: ``numbers`` are its capabilities by number.

    ``added`` and ``dropped`` change what each container holds; ``userns`` puts each into a user
    namespace of its own; ``bounding`` asks of the most that its programs may get.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        release: str,
        abi: str | None,
        numbers: Mapping[int, str],
        added: Sequence[str] = (),
        dropped: Sequence[str] = (),
        *,
        userns: bool = False,
        bounding: bool = False,
    ) -> None:
        self._connection = connection
        self._about = {"release": release, "abi": abi}
        self._numbers = numbers
        self._added, self._dropped = added, dropped
        self._userns, self._bounding = userns, bounding
        self._lost: dict[tuple[frozenset[str], bool], list[Row]] = {}

    def find(self, container: Container, runtime: str) -> Losses:
        """Return what ``container`` cannot do by the rules of ``runtime``."""
        made = make_given(container, runtime, self._numbers)
        given = made._replace(
            effective=combine_set(made.effective, self._added, self._dropped),
            bounding=combine_set(made.bounding, self._added, self._dropped),
        )
        held = given.bounding if self._bounding else given.effective
        userns = self._userns or container.userns
        names, most = map(self._name, (held, given.bounding))
        return Losses(
            container._replace(userns=userns),
            given,
            held,
            names,
            most,
            len(self._numbers),
            self._list_lost(names, userns),
        )

    def _name(self, held: CapabilitySet) -> frozenset[str]:
        return frozenset(list_held(held, self._numbers.values()))

    def _list_lost(self, names: frozenset[str], userns: bool) -> list[Row]:
        """Return the requirements that a set does not meet, in the order in which they are told;
        in a user namespace also those of the first one, which none of its sets meets."""
        if (names, userns) not in self._lost:
            base = ",".join(sorted(names)) or NONE
            rows = ask(self._connection, "container", base=base, **self._about)
            if userns:
                known = {_identify(row) for row in rows}
                rows += [
                    row
                    for row in ask(self._connection, "container", base=NONE, **self._about)
                    if asks_first_namespace(row) and _identify(row) not in known
                ]
            self._lost[names, userns] = order_requirements(rows)
        return self._lost[names, userns]


def _identify(row: Row) -> tuple[object, ...]:
    return tuple(row[key] for key in ("syscall", "operation", "privilege", "effect", "errno"))
