"""Print what a set of capabilities cannot do: first what breaks, then what would mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caphistory.cli.session import Session
from caphistory.cli.text import say, say_next
from caphistory.documented.seccomp import Profile
from caphistory.questions.containers import RUNTIMES
from caphistory.questions.containers.losing import Losses
from caphistory.questions.needs import list_alternatives
from caphistory.records import Row
from caphistory.wording.phrases import describe_effect, format_count, format_place
from caphistory.wording.plain import clean, wrap

_NAMED = 8
"""How many names are listed in one line."""


@dataclass(frozen=True)
class Answer(Losses):
    """What one container cannot do; ``profile`` is the seccomp profile applied to it, if one was
    given."""

    profile: Profile | None

    def list_missing(self, row: Row) -> str:
        """Return the capabilities any one of which would meet a requirement; in a user namespace
        with a mark where it holds one and that does not count."""
        mark = "!" if self.is_unmendable(row) else ""
        return " or ".join(map(clean, list_alternatives(row))) + mark

    def judge(self, row: Row) -> dict[str, object]:
        """Return what the seccomp profile does with the syscall of a row, if there is one."""
        return {} if self.profile is None else {"seccomp": self.profile.describe(row["syscall"])}

    def describe_refusal(self) -> str:
        """Return ``Losses.describe_refusal``, clean."""
        return clean(super().describe_refusal())

    def list_remarks(self) -> list[str]:
        """Return ``Losses.list_remarks``, clean."""
        return [*map(clean, super().list_remarks())]


def print_answer(session: Session, answers: Sequence[Answer]) -> None:
    """Print the answer for one container; by the rules of several runtimes, the first in full and
    how the others differ."""
    first = answers[0]
    own = [row for row in first.rows if row["standing"] == "own"]
    shared = [row for row in first.rows if row["standing"] != "own"]
    for line in _make_head(session, first, own):
        say(line, bold=True)
    below = [
        *_tell_shared(first, shared, session.width),
        *_tell_mending(first, own, session.width),
        *(line for other in answers[1:] for line in _tell_other(first, other, session.width)),
        *(line for r in _list_all_remarks(answers) for line in wrap(r, session.width)),
        *_tell_profile(session, first),
    ]
    groups = group_rows(first, own)
    if groups:
        session.print_table(
            ("missing", "syscall", "operation", "else", "seccomp", "where", "function"),
            [_make_line(first, rows) for rows in groups],
            flexible=("operation", "where", "function"),
            optional=("operation", "function", *(() if first.profile else ("seccomp",))),
            most=session.room_under(len(below)),
        )
    for line in below:
        say(line)
    best = next(iter([*groups[0], *shared] if groups else shared), None)
    if best is not None:
        say_next(
            f"caphistory why {clean(best['syscall'])} {clean(best['privilege'])}"
            f" --release {session.asked_release}",
            width=session.width,
        )


def _make_head(session: Session, answer: Answer, own: Sequence[Row]) -> list[str]:
    """Return who holds how much, that it does not start, and how many syscalls lose something."""
    table = f" {clean(answer.rows[0]['abi'])}" if answer.rows else ""
    notes = [clean(answer.given.runtime)] if answer.given.runtime in RUNTIMES else []
    notes += ["own user namespace"] if answer.container.userns else []
    who = clean(answer.container.name) + (f" ({', '.join(notes)})" if notes else "")
    number = f"{len(answer.names)} of {answer.defined} capabilities"
    head = wrap(f"{who} holds {number} of {session.asked_release}{table}", session.width)
    if answer.given.refused:
        head += wrap(answer.describe_refusal(), session.width)
    if not answer.rows:
        return [*head, "nothing is lost: no syscall asks for more"]
    if not own:
        return [*head, "lost is only what many syscalls share"]
    denied = {row["syscall"] for row in own if row["effect"] == "deny"}
    limited = {row["syscall"] for row in own} - denied
    less = f", {len(limited)} more limited" if limited else ""
    return [*head, f"{format_count(len(denied), 'syscall')} denied something{less}"]


def group_rows(answer: Answer, rows: Iterable[Row]) -> list[list[Row]]:
    """Return the rows of each line of the table: one for each missing capability, syscall and
    effect, with all of its operations; denials before limits, the capability that most ask for
    first, of its syscalls those with the best evidence."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        key = (answer.list_missing(row), row["syscall"], row["effect"])
        groups.setdefault(key, []).append(row)
    often = Counter(missing for missing, _, effect in groups if effect == "deny")
    ordered = sorted(
        groups.items(),
        key=lambda group: (group[0][2] != "deny", -often[group[0][0]], group[0][0]),
    )
    return [members for _, members in ordered]


def _make_line(answer: Answer, rows: Sequence[Row]) -> tuple[str, ...]:
    operations = sorted({clean(row["operation"]) for row in rows if row["operation"]})
    first = [] if all(row["operation"] for row in rows) or not operations else ["any"]
    return (
        answer.list_missing(rows[0]),
        clean(rows[0]["syscall"]),
        ", ".join([*first, *operations]),
        _count_others(dict.fromkeys(map(describe_effect, rows))),
        str(answer.judge(rows[0]).get("seccomp", "")),
        format_place(rows[0]),
        clean(rows[0]["function"]),
    )


def _count_others(words: Iterable[str]) -> str:
    """Return the first of several words, and how many others there are: ``EPERM +2``."""
    first, *others = words
    return f"{first} +{len(others)}" if others else first


def _tell_shared(answer: Answer, rows: Sequence[Row], width: int) -> list[str]:
    """Return what very many syscalls lose, in one line for all."""
    if not rows:
        return []
    often = Counter[str]()
    for missing, _ in {(answer.list_missing(row), row["syscall"]) for row in rows}:
        often[missing] += 1
    text = ", ".join(
        f"{name} ({format_count(count, 'syscall')})" for name, count in often.most_common()
    )
    return wrap(f"in code that many syscalls come through: {text}", width)


def _tell_mending(answer: Answer, rows: Sequence[Row], width: int) -> list[str]:
    """Return what would give the missing capabilities, the one that most syscalls ask for first,
    and how much nothing would mend."""
    often: dict[str, set[str]] = {}
    for row in rows:
        if row["effect"] == "deny" and not answer.is_unmendable(row):
            often.setdefault(row["privilege"], set()).add(row["syscall"])
    names = sorted(often, key=lambda name: (-len(often[name]), name))
    lines = []
    if names and not answer.names and answer.container.user and answer.given.runtime != "podman":
        lines += wrap(
            "to mend: user 0, or capabilities of the program's file (setcap); what is only added"
            " to the container does not reach a process that is not root",
            width,
        )
    elif names:
        counts = [f"{_format_name(answer, name)} ({len(often[name])})" for name in names]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        lines += wrap(f"{_choose_remedy(answer)}: {', '.join(counts[:_NAMED])}{more}", width)
    stuck = {row["syscall"] for row in answer.rows if answer.is_unmendable(row)}
    if stuck:
        lines += wrap(
            f"! {format_count(len(stuck), 'syscall')} ask for it in the first user namespace: no"
            " capability of its own meets that",
            width,
        )
    return lines


def _choose_remedy(answer: Answer) -> str:
    """Return what to write to give capabilities, as the file has it, and what the numbers are."""
    if answer.given.runtime in ("containerd", "cri-o"):
        return "to mend (so many syscalls), securityContext.capabilities.add"
    if _is_unit(answer):
        return "to mend (so many syscalls), AmbientCapabilities and CapabilityBoundingSet"
    return "to mend (so many syscalls), --cap-add"


def _is_unit(answer: Answer) -> bool:
    return answer.container.sets is not None and answer.container.name.endswith("service")


def _format_name(answer: Answer, capability: str) -> str:
    return clean(capability if _is_unit(answer) else capability.removeprefix("CAP_"))


def _tell_other(first: Answer, other: Answer, width: int) -> list[str]:
    """Return how the answer by another runtime differs."""
    fewer, more = first.names - other.names, other.names - first.names
    if not fewer and not more and not other.given.refused:
        return []
    parts = [f"without {_list_plain(fewer)}"] if fewer else []
    parts += [f"with {_list_plain(more)}"] if more else []
    denied = {row["syscall"] for row in other.rows if row["standing"] == "own"}
    return wrap(
        f"by {other.given.runtime} it holds {len(other.names)}"
        f"{': ' if parts else ''}{', '.join(parts)};"
        f" {format_count(len(denied), 'syscall')} lose something",
        width,
    )


def _list_plain(names: Iterable[str]) -> str:
    return ", ".join(sorted(clean(name.removeprefix("CAP_")) for name in names))


def _list_all_remarks(answers: Sequence[Answer]) -> list[str]:
    """Return the remarks of all answers, with the runtime where they do not hold for all."""
    each = [answer.list_remarks() for answer in answers]
    remarks = []
    for answer, own in zip(answers, each, strict=True):
        if answer.given.refused and answer is not answers[0]:
            remarks.append(answer.describe_refusal())
        for remark in own:
            everywhere = all(remark in others for others in each)
            remarks.append(remark if everywhere else f"{answer.given.runtime}: {remark}")
    sources = [
        f"{answer.given.runtime}'s defaults are those of {RUNTIMES[answer.given.runtime].source}"
        for answer in answers
        if answer.given.runtime in RUNTIMES and not answer.container.privileged
    ]
    return [*dict.fromkeys(remarks), *sources]


def _tell_profile(session: Session, answer: Answer) -> list[str]:
    """Return which syscalls the seccomp profile refuses that the set would let through."""
    if answer.profile is None:
        return []
    lost = {row["syscall"] for row in answer.rows if row["standing"] == "own"}
    refused = sorted(
        name
        for name, verdict in answer.profile.verdicts.items()
        if not verdict.allows and name not in lost
    )
    default = answer.profile.default
    text = (
        f"the profile answers {clean(default.errno)} to what it does not name"
        if not default.allows
        else "the profile allows what it does not name"
    )
    return [
        *wrap(text, session.width),
        *session.list_some("refused by it alone", refused),
    ]


def print_containers(session: Session, answers: Sequence[Answer]) -> None:
    """Print one table of all containers of a file, then the remarks on each."""
    names = {answer.container.name for answer in answers}
    say(
        f"{format_count(len(names), 'container')} in {session.asked_release}, which defines"
        f" {answers[0].defined} capabilities",
        bold=True,
    )
    remarks: dict[str, None] = {}
    for answer in answers:
        if answer.given.refused:
            remarks[f"{clean(answer.container.name)}: {answer.describe_refusal()}"] = None
        for remark in answer.list_remarks():
            remarks[f"{clean(answer.container.name)}: {remark}"] = None
    below = [line for remark in remarks for line in wrap(remark, session.width)]
    session.print_table(
        ("container", "runtime", "user", "holds", "denied", "most missing"),
        _list_container_lines(answers),
        flexible=("container", "most missing"),
        optional=("most missing",),
        most=session.room_under(len(below)),
    )
    for line in below:
        say(line)
    say_next(
        f"caphistory container … --container {clean(answers[0].container.name)}",
        width=session.width,
    )


def _list_container_lines(answers: Sequence[Answer]) -> list[tuple[str, ...]]:
    """Return a line for each container; one for several runtimes whose rules come to the same."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for answer in answers:
        name, *rest = _make_container_line(answer)
        alike.setdefault((name, *rest), []).append(clean(answer.given.runtime))
    return [(name, ", ".join(runtimes), *rest) for (name, *rest), runtimes in alike.items()]


def _make_container_line(answer: Answer) -> tuple[str, ...]:
    own = [row for row in answer.rows if row["standing"] == "own" and row["effect"] == "deny"]
    often = Counter(
        missing for missing, _ in {(answer.list_missing(row), row["syscall"]) for row in own}
    )
    container = answer.container
    spaces = " (userns)" if container.userns else ""
    return (
        clean(container.name),
        clean(container.user or "root") + spaces,
        "refused" if answer.given.refused else str(len(answer.names)),
        str(len({row["syscall"] for row in own})),
        ", ".join(name for name, _ in often.most_common(3)),
    )
