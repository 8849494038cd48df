"""Facts go out as one file and come back as the same database."""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caphistory import store
from caphistory.errors import CaphistoryError
from caphistory.records import CapabilityDefinition
from caphistory.store import columns, default, shipped
from caphistory.store.views import VIEWS
from tests.factories import build, check, linked, site, step
from tests.store import model

ROOT = Path(__file__).parents[2]

RELEASES = [
    linked(
        name,
        checks=[
            check("chroot", site("fs/open.c", line, "sys_chroot", "suser")),
            check(
                "bind",
                site("net/inet.c", 2 * line, "inet_bind", capability="CAP_NET_BIND_SERVICE"),
                step("sys_bind", "net/socket.c", line, via="proto_ops.bind"),
                shared_by=line,
            ),
        ],
        definitions=[CapabilityDefinition("CAP_CHOWN", 0, "capability.h", 7, f"text {line // 3}")],
    )
    for line, name in enumerate(["2.0.40", "2.1.0", "2.1.1", "2.2.0", "2.2.1"], 1)
]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    db = store.open_reader(build(tmp_path / "a.db", *RELEASES))
    store.export(db, tmp_path / "facts.xz")
    return tmp_path / "facts.xz"


def test_unpacking_gives_what_was_exported(tmp_path: Path, exported: Path) -> None:
    store.unpack(exported, tmp_path / "b.db")
    one, other = store.open_reader(tmp_path / "a.db"), store.open_reader(tmp_path / "b.db")
    for view in VIEWS:
        if view.name != "capability_definitions":
            assert model.shown(one, view.name) == model.shown(other, view.name), view.name


def test_kernel_comments_do_not_ship(tmp_path: Path, exported: Path) -> None:
    store.unpack(exported, tmp_path / "b.db")
    rows = store.open_reader(tmp_path / "b.db").execute(
        "SELECT release, capability, number, line, doc FROM capability_definitions"
    )
    assert [tuple(row) for row in rows] == [
        (each.release.release, "CAP_CHOWN", 0, 7, None) for each in RELEASES
    ]


def test_bytes_depend_on_the_content_only(tmp_path: Path, exported: Path) -> None:
    before = linked("2.2.1", sites=[site("drivers/gone.c", 5, "f")])
    with store.open_writer(tmp_path / "b.db", "1") as writer:
        for each in (before, *reversed(RELEASES), RELEASES[2]):
            writer.write_release(each)
    store.export(store.open_reader(tmp_path / "b.db"), tmp_path / "b.xz")
    assert (tmp_path / "b.xz").read_bytes() == exported.read_bytes()

    store.unpack(exported, tmp_path / "c.db")
    store.export(store.open_reader(tmp_path / "c.db"), tmp_path / "c.xz")
    assert (tmp_path / "c.xz").read_bytes() == exported.read_bytes()


def test_an_unpacked_database_can_be_written_to(tmp_path: Path, exported: Path) -> None:
    store.unpack(exported, tmp_path / "b.db")
    more = linked("2.2.2", sites=[site("fs/open.c", 9, "sys_chroot", "suser")])
    for name in ("a.db", "b.db"):
        build(tmp_path / name, more)
        store.export(store.open_reader(tmp_path / name), tmp_path / f"{name}.xz")
    assert (tmp_path / "a.db.xz").read_bytes() == (tmp_path / "b.db.xz").read_bytes()


def test_progress_ends_at_its_total(tmp_path: Path, exported: Path) -> None:
    seen: list[tuple[int, int]] = []
    store.unpack(exported, tmp_path / "b.db", lambda done, total: seen.append((done, total)))
    assert seen
    assert seen[-1][0] == seen[-1][1]


def test_an_empty_database_can_be_exported(tmp_path: Path) -> None:
    store.create(tmp_path / "a.db")
    store.export(store.open_reader(tmp_path / "a.db"), tmp_path / "facts.xz")
    store.unpack(tmp_path / "facts.xz", tmp_path / "b.db")
    assert store.read_indexed(store.open_reader(tmp_path / "b.db")) == {}


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"notes",
        lambda data: lzma.compress(b"\xff" * 100),
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + bytes([data[100] ^ 255]) + data[101:],
    ],
)
def test_a_damaged_file_leaves_nothing_behind(
    tmp_path: Path, exported: Path, damage: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "bad.xz").write_bytes(damage(exported.read_bytes()))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CaphistoryError, match="damaged"):
        store.unpack(tmp_path / "bad.xz", tmp_path / "b.db")
    assert sorted(tmp_path.iterdir()) == before


def test_a_failed_unpacking_keeps_the_database_that_was_there(
    tmp_path: Path, exported: Path
) -> None:
    (tmp_path / "bad.xz").write_bytes(exported.read_bytes()[:-200])
    with pytest.raises(CaphistoryError):
        store.unpack(tmp_path / "bad.xz", tmp_path / "a.db")
    assert store.has_release(store.open_reader(tmp_path / "a.db"), "2.2.1")


def test_no_folder(tmp_path: Path, exported: Path) -> None:
    with pytest.raises(CaphistoryError, match="cannot unpack"):
        store.unpack(tmp_path / "none.xz", tmp_path / "b.db")
    with pytest.raises(CaphistoryError, match="cannot"):
        store.unpack(exported, tmp_path / "none" / "b.db")
    with pytest.raises(CaphistoryError, match="cannot write"):
        store.export(store.open_reader(tmp_path / "a.db"), tmp_path / "none" / "facts.xz")


def test_two_processes_unpack_at_once(tmp_path: Path, exported: Path) -> None:
    script = "import sys; from caphistory import store; store.unpack(*sys.argv[1:])"
    arguments = [sys.executable, "-c", script, str(exported), str(tmp_path / "b.db")]
    processes = [subprocess.Popen(arguments, cwd=ROOT) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert store.has_release(store.open_reader(tmp_path / "b.db"), "2.2.1")
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_shipped_facts_are_unpacked_once_for_each_content(tmp_path: Path, exported: Path) -> None:
    cache = tmp_path / "cache"
    path = default.unpack_once(exported, cache)
    assert store.has_release(store.open_reader(path), "2.2.1")
    seen: list[int] = []
    assert default.unpack_once(exported, cache, lambda done, total: seen.append(done)) == path
    assert seen == []
    build(tmp_path / "a.db", linked("2.2.2"))
    store.export(store.open_reader(tmp_path / "a.db"), exported)
    assert default.unpack_once(exported, cache) != path


def test_an_unpacked_database_that_nobody_uses_is_removed(tmp_path: Path, exported: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    kept = [cache / "facts-of-another-version.db", cache / "notes.db", cache / "facts-folder.db"]
    gone = [cache / "facts-of-long-ago.db", cache / ".facts-of-long-ago.db.7.00ff.tmp"]
    for file in (*kept[:2], *gone):
        file.touch()
    kept[2].mkdir()
    path = default.unpack_once(exported, cache)
    long_ago = time.time() - (default.UNUSED_DAYS + 1) * 86_400
    for file in (path, *kept[1:], *gone):
        os.utime(file, (long_ago, long_ago))
    assert default.unpack_once(exported, cache) == path
    assert {*cache.iterdir()} == {path, *kept}
    assert path.stat().st_mtime > long_ago + 86_400


def test_what_stands_in_the_way_of_unpacking_is_replaced_or_named(
    tmp_path: Path, exported: Path
) -> None:
    path = default.unpack_once(exported, tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    assert default.unpack_once(exported, tmp_path).read_bytes()[:50] == whole[:50]
    assert store.has_release(store.open_reader(path), "2.2.1")
    path.unlink()
    path.mkdir()
    assert store.has_release(store.open_reader(default.unpack_once(exported, tmp_path)), "2.2.1")
    path.unlink()
    (path / "notes").mkdir(parents=True)
    with pytest.raises(CaphistoryError, match=f"{path.name} is a folder .* remove it"):
        default.unpack_once(exported, tmp_path)


def test_nothing_ships(tmp_path: Path) -> None:
    with pytest.raises(CaphistoryError, match="cannot read"):
        default.unpack_once(tmp_path / "facts.xz", tmp_path)


def test_which_database_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    own = store.database_to_write()
    assert own == store.user_database()
    build(own, linked("2.2.0"))
    assert store.default_database() == own
    assert store.default_database(tmp_path / "other.db") == tmp_path / "other.db"
    assert store.database_to_write(tmp_path / "other.db") == tmp_path / "other.db"


NUMBERS = st.integers(-(2**29), 2**29)
SMALL = st.integers(0, 255) | st.just(256)


@given(st.lists(NUMBERS) | st.lists(SMALL) | st.lists(st.integers(65_530, 65_540)))
def test_numbers_survive(numbers: list[int]) -> None:
    assert list(columns.unpack_numbers(columns.pack_numbers(numbers))) == numbers


@given(st.lists(st.one_of(st.none(), NUMBERS)))
def test_optional_numbers_survive(numbers: list[int | None]) -> None:
    assert columns.unpack_optional(columns.pack_optional(numbers)) == numbers


@given(st.lists(st.one_of(st.none(), st.text())))
def test_texts_survive(texts: list[str | None]) -> None:
    assert columns.unpack_texts(columns.pack_texts(texts)) == texts


@given(st.lists(st.binary()))
def test_blobs_survive(blobs: list[bytes]) -> None:
    assert columns.unpack_blobs(columns.pack_blobs(blobs)) == blobs


def test_the_name_of_a_content_needs_the_whole_content(tmp_path: Path, exported: Path) -> None:
    build(
        tmp_path / "b.db", *RELEASES[:-1], RELEASES[-1]._replace(check_sites=[], syscall_checks=[])
    )
    store.export(store.open_reader(tmp_path / "b.db"), tmp_path / "b.xz")
    assert shipped.name_content(tmp_path / "b.xz") != shipped.name_content(exported)
