"""Opening sources: clones, folders, and what is none of them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pygit2
import pytest

from caphistory.errors import CaphistoryError
from caphistory.history.cloning import clone_folder
from caphistory.history.folders import hash_blob
from caphistory.history.sources import BrokenObject, open_source, reopen
from tests.kernels.archives import write_folder
from tests.kernels.git import commit, light_tag
from tests.kernels.minimal import KERNEL, WANTED


def test_an_address_is_cloned_to_the_cache_once(tmp_path: Path) -> None:
    origin = tmp_path / "owner" / "linux.git"
    repository = pygit2.init_repository(origin, bare=True)
    release = commit(repository, KERNEL)
    light_tag(repository, "2.2.24", release)
    repository.references.create("refs/heads/master", release)
    cache = tmp_path / "cache"
    seen: list[object] = []
    url = f"file://{origin}"
    with open_source(
        url, cache_dir=cache, progress=lambda what, done, total: seen.append(what)
    ) as source:
        assert source.name == "owner/linux"
        assert [tag.release for tag in source.tags().releases] == ["2.2.24"]
    assert seen
    assert [path.name for path in cache.iterdir()] == [clone_folder(url)]
    seen.clear()
    with open_source(url, cache_dir=cache, progress=lambda *step: seen.append(step)) as source:
        assert source.name == "owner/linux"
    assert not seen


def make_origin(path: Path, *tags: str) -> pygit2.Repository:
    """A repository at ``path`` with a kernel for each of ``tags``."""
    repository = pygit2.init_repository(path, bare=True)
    for tag in tags:
        light_tag(repository, tag, commit(repository, {**KERNEL, "kernel/tag.c": tag}))
    return repository


def releases(spec: str | None, cache: Path, warnings: list[str] | None = None) -> dict[str, str]:
    """The releases of a source, each with its commit."""
    warn = ([] if warnings is None else warnings).append
    with open_source(spec, cache_dir=cache, warn=warn) as source:
        return {tag.release: str(tag.commit_sha) for tag in source.tags().releases}


def test_new_tags_of_a_clone_are_fetched(tmp_path: Path) -> None:
    origin = make_origin(tmp_path / "linux.git", "2.2.24")
    url, cache = f"file://{tmp_path}/linux.git", tmp_path / "cache"
    first = releases(url, cache)
    assert [*first] == ["2.2.24"]
    light_tag(origin, "2.2.25", commit(origin, KERNEL))
    moved = commit(origin, {**KERNEL, "kernel/moved.c": ""})
    origin.references["refs/tags/2.2.24"].set_target(moved)
    warnings: list[str] = []
    later = releases(url, cache, warnings)
    assert [*later] == ["2.2.24", "2.2.25"]
    # As git does it: what a tag was stays known.
    assert later["2.2.24"] == first["2.2.24"]
    assert warnings == []


def test_new_tags_of_the_default_history_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = make_origin(tmp_path / "linux.git", "2.2.24")
    monkeypatch.setattr("caphistory.history.sources.DEFAULT_URL", f"file://{tmp_path}/linux.git")
    assert [*releases(None, tmp_path / "cache")] == ["2.2.24"]
    light_tag(origin, "2.2.25", commit(origin, KERNEL))
    assert [*releases(None, tmp_path / "cache")] == ["2.2.24", "2.2.25"]


def test_a_clone_whose_origin_cannot_be_had_is_read_as_it_is(tmp_path: Path) -> None:
    make_origin(tmp_path / "owner" / "linux.git", "2.2.24")
    url, cache = f"file://{tmp_path}/owner/linux.git", tmp_path / "cache"
    releases(url, cache)
    (tmp_path / "owner").rename(tmp_path / "gone")
    warnings: list[str] = []
    assert [*releases(url, cache, warnings)] == ["2.2.24"]
    (warning,) = warnings
    assert warning.startswith("new tags of owner/linux cannot be fetched (")
    assert warning.endswith("): going on with its clone as it is")
    assert "\n" not in warning


def test_a_repository_of_this_machine_is_not_fetched(tmp_path: Path) -> None:
    origin = make_origin(tmp_path / "linux.git", "2.2.24")
    pygit2.clone_repository(f"file://{tmp_path}/linux.git", tmp_path / "mine.git", bare=True)
    light_tag(origin, "2.2.25", commit(origin, KERNEL))
    assert [*releases(str(tmp_path / "mine.git"), tmp_path)] == ["2.2.24"]


def test_a_clone_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(CaphistoryError, match=r"cannot clone file:///.*; check the network"):
        open_source(f"file://{tmp_path}/nowhere", cache_dir=cache)
    assert list(cache.iterdir()) == []


def test_a_clone_that_is_stopped_leaves_nothing_behind(tmp_path: Path) -> None:
    origin = tmp_path / "linux.git"
    repository = pygit2.init_repository(origin, bare=True)
    light_tag(repository, "2.2.24", commit(repository, KERNEL))

    def stop(*step: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_source(f"file://{origin}", cache_dir=tmp_path / "cache", progress=stop)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CaphistoryError, match="cannot write to"):
        open_source("file:///nowhere", cache_dir=tmp_path / "file" / "cache")


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("https://example.org/owner/linux.git", "example.org+owner+linux.git"),
        ("https://me:secret@example.org/owner/linux", "example.org+owner+linux.git"),
        ("git@example.org:owner/linux.git", "example.org+owner+linux.git"),
        ("https://example.org/../../linux", "example.org+..+..+linux.git"),
    ],
)
def test_clone_folder_is_one_name(url: str, folder: str) -> None:
    assert clone_folder(url) == folder


def test_a_folder_is_one_release(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "my kernel", KERNEL)
    with open_source(str(root), cache_dir=tmp_path / "cache") as source:
        (tag,) = source.tags().releases
        assert (tag.release, tag.tag, tag.commit_sha) == ("2.2.24", "my kernel", None)
        files = source.files(tag)
        assert list(files) == WANTED
        assert files["fs/open.c"] == hash_blob(KERNEL["fs/open.c"].encode())
        assert source.read(files["fs/open.c"]) == KERNEL["fs/open.c"].encode()
        again = reopen(pickle.loads(pickle.dumps(source.spec)))
        assert again.read(files["kernel/sys.c"]) == KERNEL["kernel/sys.c"].encode()
    assert not (tmp_path / "cache").exists()


def test_blob_id_is_that_of_git(tmp_path: Path) -> None:
    repository = pygit2.init_repository(tmp_path, bare=True)
    for content in (b"", b"int x;\n", b"caf\xe9\0"):
        assert hash_blob(content) == str(repository.create_blob(content))


def test_a_folder_does_not_lead_out_of_itself(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "linux", KERNEL)
    write_folder(tmp_path / "outside", {"secret.c": "int secret;\n"})
    (root / "drivers" / "link.c").symlink_to(tmp_path / "outside" / "secret.c")
    (root / "drivers" / "outside").symlink_to(tmp_path / "outside")
    (root / "fs" / "loop").symlink_to(root)
    with open_source(str(root), cache_dir=tmp_path) as source:
        assert list(source.files(source.tags().releases[0])) == WANTED


def test_a_file_that_changes_after_it_was_listed(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "linux", KERNEL)
    with open_source(str(root), cache_dir=tmp_path) as source:
        blob = source.files(source.tags().releases[0])["fs/open.c"]
        (root / "fs" / "open.c").write_text("int changed;\n")
        with pytest.raises(BrokenObject, match=r"fs/open\.c was changed"):
            source.read(blob)
        with pytest.raises(BrokenObject, match="it is missing"):
            source.read("0" * 40)


def test_patterns_and_a_folder(tmp_path: Path) -> None:
    prerelease = KERNEL["Makefile"].replace("EXTRAVERSION =", "EXTRAVERSION = -rc1")
    root = write_folder(tmp_path / "linux", {**KERNEL, "Makefile": prerelease})
    with open_source(str(root), cache_dir=tmp_path) as source:
        assert source.tags().releases[0].release == "2.2.24-rc1"
        assert source.tags(["2.2.*"]).releases
        with pytest.raises(CaphistoryError, match=r"no tag of linux matches 2\.4\.\*"):
            source.tags(["2.4.*"])


def test_the_oldest_kernels_are_named_by_their_folder(tmp_path: Path) -> None:
    kernel = {**KERNEL, "Makefile": "all: Image\n"}
    root = write_folder(tmp_path / "linux-0.01", kernel)
    with open_source(str(root), cache_dir=tmp_path) as source:
        assert source.tags().releases[0].release == "0.01"
    root = write_folder(tmp_path / "unnamed", kernel)
    with pytest.raises(CaphistoryError, match="cannot tell which release unnamed is"):
        open_source(str(root), cache_dir=tmp_path)


def test_what_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("notes\n")
    write_folder(tmp_path / "project", {"Makefile": "VERSION = 1\n"})
    for name, message in {
        "nowhere": "does not exist",
        "empty": "is neither a git repository nor an unpacked kernel",
        "notes.txt": "is neither a folder nor a tarball",
        "project": r"holds no kernel: it has no init/main\.c",
    }.items():
        with pytest.raises(CaphistoryError, match=message) as info:
            open_source(str(tmp_path / name), cache_dir=tmp_path / "cache")
        assert info.value.exit_code == 3
