"""What was read is remembered from run to run, and a cache in any state does no harm."""

from __future__ import annotations

import gc
import marshal
import multiprocessing
import pickle
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from caphistory import remembered
from caphistory.remembered import Remembered
from caphistory.syntax import facts
from caphistory.syntax.reader import read as read_c
from tests.indexing.running import contents, read
from tests.kernels.transition import RELEASES

TEXT = b"#define may(x) capable(x)\nint sys_a(int id) { if (!may(id)) return -EPERM; return 0; }\n"


# Something of each kind of record, and of each that another one can hold.
ALL_KINDS = b"""
typedef struct sock sock_t;
struct ops { int (*run)(int id); };
int go(int id);
struct ops own = { go };
#define may(x) (current->uid == 0 || capable(x))
#define SET(o, f) do { (o)->run = f; } while (0)
#define LIST { go, 0 }
int sys_a(struct ops *o, int id)
{
    struct ops inner = { go };
    sock_t *sock = 0;
    if (current->uid != 0 && !capable(id)) return -EPERM;
    o->run = go;
    use(sock);
    return o->run(id);
}
"""


def file_of(cache: Path) -> Path:
    (path,) = (cache / "facts").glob("*.db")
    return path


def filled(cache: Path, count: int = 1, **limits: int) -> Remembered:
    """A cache in which ``count`` versions of ``kernel/sys.c`` were put, one after the other."""
    known = Remembered(cache, **limits)
    for number in range(count):
        known.put(f"blob{number}", "kernel/sys.c", *read_c(TEXT + b"int a%d;\n" % number))
        known.flush()
    return known


def test_facts_come_back_as_they_were(cache: Path) -> None:
    blob, items = read_c(ALL_KINDS)
    kinds = [k for k in vars(facts).values() if isinstance(k, type) and issubclass(k, tuple)]
    assert all(f"{kind.__name__}(" in repr((blob, items)) for kind in kinds)
    for field in ("calls", "uid_tests", "flows", "stored"):
        assert any(getattr(macro, field) for item in items.values() for macro in item.macros)
    Remembered(cache).put("of this run alone", "kernel/sys.c", blob, items)
    known = Remembered(cache)
    known.put("blob", "kernel/sys.c", blob, items)
    assert known.get("blob") is None  # not written yet
    known.flush()
    again = Remembered(cache)
    found = again.get("blob")
    assert found == (blob, items)
    assert repr(found) == repr((blob, items))  # a record equals a tuple
    assert again.lately("kernel/sys.c") == items
    assert again.get("of this run alone") is None
    assert again.lately("kernel/other.c") == {}


def test_of_several_versions_of_a_file_the_last_is_the_late_one(cache: Path) -> None:
    known = filled(cache, 3)
    last = known.get("blob2")
    assert last is not None
    assert known.lately("kernel/sys.c") == last[1]


def test_a_full_cache_forgets_the_oldest(cache: Path) -> None:
    known = filled(cache, 60, most_bytes=30_000)
    assert known.get("blob0") is None
    assert known.get("blob59") is not None


def test_a_disk_that_is_nearly_full_is_left_alone(cache: Path) -> None:
    filled(cache, least_free=10**18)
    assert Remembered(cache).get("blob0") is None


def test_another_version_of_the_program_knows_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(cache).close()
    old = file_of(cache)
    monkeypatch.setattr(remembered, "_FORMAT", "another")
    assert Remembered(cache).get("blob0") is None
    assert file_of(cache) != old


def test_only_facts_are_made_of_what_the_file_holds(cache: Path) -> None:
    filled(cache).close()

    def put(packed: bytes) -> None:
        with closing(sqlite3.connect(file_of(cache))) as db, db:
            db.execute("UPDATE remembered SET facts = ?", (packed,))

    put(zlib.compress(pickle.dumps(("blob0", Path("a"), {}))))
    assert Remembered(cache).get("blob0") is None
    put(zlib.compress(marshal.dumps(("blob0", 1, {}))))
    assert Remembered(cache).get("blob0") is None
    put(b"no facts")
    assert Remembered(cache).get("blob0") is None


def test_facts_of_another_content_are_none(cache: Path) -> None:
    filled(cache, 2).close()
    with closing(sqlite3.connect(file_of(cache))) as db, db:
        one = "SELECT facts FROM remembered WHERE blob = 'blob1'"
        db.execute(f"UPDATE remembered SET facts = ({one})")
    assert Remembered(cache).get("blob1") is not None
    assert Remembered(cache).get("blob0") is None


def test_what_was_got_and_dropped_leaves_nothing_behind(cache: Path) -> None:
    """Workers do without the collector of cycles."""
    filled(cache).close()
    known = Remembered(cache)
    gc.collect()
    gc.disable()
    try:
        assert known.get("blob0") is not None
        known.flush()
        assert gc.collect() == 0
    finally:
        gc.enable()


def put_many(cache: Path, name: str) -> None:
    known = Remembered(cache)
    for number in range(50):
        known.put(f"{name}{number}", f"{name}.c", *read_c(TEXT))
        known.flush()


def test_several_processes_put_at_once(cache: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    names = ["a", "b", "c"]
    workers = [spawn.Process(target=put_many, args=(cache, name)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    known = Remembered(cache)
    assert all(known.get(f"{name}{number}") for name in names for number in range(50))


# The same database, whatever the cache is like.


def nothing(cache: Path) -> None:
    """No run was before."""


def a_file(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "facts").write_text("no folder")


def a_folder(cache: Path) -> None:
    path = file_of(cache)
    path.unlink()
    path.mkdir()


def text(cache: Path) -> None:
    file_of(cache).write_text("no database " * 1000)


def cut_off(cache: Path) -> None:
    path = file_of(cache)
    path.write_bytes(path.read_bytes()[:5000])


def overwritten(cache: Path) -> None:
    content = bytearray(file_of(cache).read_bytes())
    content[6000:] = b"\xa5" * (len(content) - 6000)
    file_of(cache).write_bytes(content)


def empty(cache: Path) -> None:
    with closing(sqlite3.connect(file_of(cache))) as db, db:
        db.execute("DROP TABLE remembered")
        db.execute("CREATE TABLE remembered (something TEXT)")


AFTER = [a_folder, text, cut_off, overwritten, empty]


@pytest.mark.parametrize("damage", [nothing, a_file])
def test_a_cache_that_cannot_be_used_changes_nothing(
    damage: Callable[[Path], None], history: Path, whole: Path, cache: Path, tmp_path: Path
) -> None:
    damage(cache)
    assert read(tmp_path / "a.db", history).releases_added == len(RELEASES)
    assert contents(tmp_path / "a.db") == contents(whole)


@pytest.mark.parametrize("damage", AFTER)
def test_a_cache_that_is_damaged_changes_nothing(
    damage: Callable[[Path], None], history: Path, whole: Path, cache: Path, tmp_path: Path
) -> None:
    read(tmp_path / "first.db", history, tags=RELEASES[:3])
    damage(cache)
    assert read(tmp_path / "a.db", history, jobs=2).releases_added == len(RELEASES)
    assert contents(tmp_path / "a.db") == contents(whole)


def test_what_is_remembered_gives_the_same_rows(history: Path, whole: Path, tmp_path: Path) -> None:
    read(tmp_path / "first.db", history)
    summary = read(tmp_path / "again.db", history, jobs=3)
    assert (summary.releases_added, summary.blobs_read) == (len(RELEASES), 0)
    assert contents(tmp_path / "again.db") == contents(whole)
