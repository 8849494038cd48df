"""What readers found of requirements that were drawn at random after the work on them was done.

``python -m tests.truth.draws`` prints the figures of ``draws/*.csv``, one file for each draw, which
README.md describes. RELEASE ABI SEED NUMBER print a draw to be read: pairs of syscall and privilege
whose standing is own, of each one requirement with its chain.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from caphistory.store import open_reader
from tests.truth.measure import shipped

DRAWS = Path(__file__).parent / "draws"
COLUMNS = (
    *(
        "release",
        "abi",
        "seed",
        "n",
        "syscall",
        "privilege",
        "operation",
        "instead",
        "pointer_hops",
    ),
    *("pair", "chain", "operation_right", "effect_right", "instead_right", "kind", "why"),
)
VERDICTS = {
    "pair": ("right", "wrong"),
    "chain": ("right", "wrong"),
    "operation_right": ("right", "none", "missing", "wrong"),
    "effect_right": ("right", "wrong", "unsure"),
    "instead_right": ("right", "wrong", "none"),
}
"""What a reader may say of each column."""


def read_draws() -> list[dict[str, str]]:
    """Return the rows of all draws, by COLUMNS."""
    rows = []
    for path in sorted(DRAWS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    return rows


def summarise(rows: list[dict[str, str]]) -> str:
    """Return the share of right answers of each draw and of all, as a Markdown table, and in two
    lines those of all by function pointers on the way, and of what does as well. Operations and
    effects are counted of the right pairs, what does as well of all that show something."""
    lines = [
        "| release | seed | pairs read | right | chain right | operation right | effect right |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for release, seed in dict.fromkeys((row["release"], row["seed"]) for row in rows):
        read = [row for row in rows if (row["release"], row["seed"]) == (release, seed)]
        lines.append(f"| {release} | {seed} | {_counts(read)} |")
    lines.append(f"| all | | {_counts(rows)} |")
    hops = sorted({int(row["pointer_hops"]) for row in rows})
    by_hops = (
        f"{_share([row['pair'] == 'right' for row in rows if int(row['pointer_hops']) == count])}"
        f" with {count}"
        for count in hops
    )
    instead = [row["instead_right"] == "right" for row in rows if row["instead_right"] != "none"]
    lines += ["", f"Pairs by function pointers on the way: {', '.join(by_hops)}."]
    lines += ["", f"What does as well (`instead`): {_share(instead)}."]
    return "\n".join(lines)


def _counts(read: list[dict[str, str]]) -> str:
    """Return the cells of some rows: how many there are, and what of them is right."""
    pairs = [row for row in read if row["pair"] == "right"]
    shares = (
        _share([row["pair"] == "right" for row in read]),
        _share([row["chain"] == "right" for row in read]),
        _share([row["operation_right"] in ("right", "none") for row in pairs]),
        _share([row["effect_right"] == "right" for row in pairs]),
    )
    return " | ".join((str(len(read)), *shares))


def _share(right: list[bool]) -> str:
    """Return how many are right, and of how many."""
    return f"{sum(right)}/{len(right)} ({sum(right) / max(1, len(right)):.0%})"


def draw(release: str, abi: str, seed: str, number: int) -> Iterator[str]:
    """Give the lines of a draw."""
    with closing(open_reader(shipped())) as db:
        rows = db.execute(
            "SELECT * FROM requirements WHERE release = ? AND abi = ? AND standing = 'own'"
            " ORDER BY syscall, privilege, operation, path, line",
            (release, abi),
        ).fetchall()
    of_pair: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        of_pair.setdefault((row["syscall"], row["privilege"]), []).append(row)
    chosen = random.Random(seed)
    yield f"# {len(of_pair)} pairs of {release} {abi}; seed {seed}"
    for n, pair in enumerate(chosen.sample(sorted(of_pair), min(number, len(of_pair))), 1):
        row = chosen.choice(of_pair[pair])
        told = ("operation", "effect", "errno", "instead", "subject", "namespace", "depth")
        yield f"\n## {n}. {' -> '.join(pair)}"
        yield " ".join(f"{name}={row[name]!r}" for name in (*told, "pointer_hops", "shared_by"))
        yield from (
            f"    {step['function']} {step['path']}:{step['line']} {step['via'] or ''}".rstrip()
            for step in json.loads(row["chain"])
        )


if __name__ == "__main__":
    if sys.argv[2:]:
        asked_release, asked_abi, asked_seed, asked_number = sys.argv[1:]
        print("\n".join(draw(asked_release, asked_abi, asked_seed, int(asked_number))))
    else:
        print(summarise(read_draws()))
