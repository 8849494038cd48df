"""Git repositories as sources."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode, ObjectType

from caphistory.errors import CaphistoryError
from caphistory.history.repositories import RepositorySource, is_url, name_of_url
from caphistory.history.sources import BrokenObject, open_source, reopen
from tests.kernels.git import annotated_tag, commit, light_tag, write_tree
from tests.kernels.minimal import KERNEL, WANTED
from tests.kernels.small_history import NO_RELEASES, RELEASES

OTHER = {**KERNEL, "kernel/sys.c": "int other;\n"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.git"


@pytest.fixture
def repository(path: Path) -> pygit2.Repository:
    return pygit2.init_repository(path, bare=True)


def object_file(path: Path, object_id: str) -> Path:
    return path / "objects" / object_id[:2] / object_id[2:]


def test_releases_in_order_whatever_the_kind_of_tag(
    repository: pygit2.Repository, path: Path
) -> None:
    first = commit(repository, KERNEL)
    second = commit(repository, OTHER, first)
    light_tag(repository, "2.2.10", first)
    annotated_tag(repository, "v2.2.9", second)
    tags = RepositorySource(path).tags()
    assert [(tag.release, tag.tag, tag.commit_sha) for tag in tags.releases] == [
        ("2.2.9", "v2.2.9", str(second)),
        ("2.2.10", "2.2.10", str(first)),
    ]
    # The commit without a parent may bring an old tree at any time.
    assert [(tag.committed, tag.authored) for tag in tags.releases] == [
        ("2001-09-09", "2001-09-09"),
        (None, None),
    ]
    assert (tags.skipped, tags.prereleases_left_out) == ([], 0)


def test_a_branch_named_like_a_tag_is_not_taken_for_it(
    repository: pygit2.Repository, path: Path
) -> None:
    release, branch = commit(repository, KERNEL), commit(repository, OTHER)
    light_tag(repository, "2.0", release)
    repository.references.create("refs/heads/2.0", branch)
    repository.references.create("refs/heads/2.2", branch)
    (tag,) = RepositorySource(path).tags().releases
    assert (tag.release, tag.commit_sha) == ("2.0", str(release))


def test_prereleases_and_ports_only_when_asked_for(
    repository: pygit2.Repository, path: Path
) -> None:
    release = commit(repository, KERNEL)
    for name in ("2.2.10", "2.2.10pre1", "2.2.10pre2", "lia64-v2.5.10", "snapshot"):
        light_tag(repository, name, release)
    source = RepositorySource(path)

    def releases(*patterns: str, prereleases: bool = False) -> list[str]:
        return [tag.release for tag in source.tags(patterns, prereleases=prereleases).releases]

    assert releases() == ["2.2.10"]
    assert source.tags().prereleases_left_out == 2
    assert [tag for tag, _ in source.tags().skipped] == ["lia64-v2.5.10", "snapshot"]
    assert releases(prereleases=True) == ["2.2.10pre1", "2.2.10pre2", "2.2.10"]
    assert releases("2.2.*") == ["2.2.10"]
    assert releases("v2.2.10pre2,2.2.10") == ["2.2.10pre2", "2.2.10"]
    assert releases("lia64-v2.5.10") == ["lia64-v2.5.10"]
    with pytest.raises(CaphistoryError, match=r"only prereleases .* 2\.2\.10pre\*.*--prereleases"):
        releases("2.2.10pre*")
    with pytest.raises(CaphistoryError, match=r"no tag of history matches 9\.9"):
        releases("9.9")
    with pytest.raises(CaphistoryError, match="tag snapshot: not the name of a Linux release"):
        releases("snapshot")


def test_two_tags_of_one_release(repository: pygit2.Repository, path: Path) -> None:
    release = commit(repository, KERNEL)
    light_tag(repository, "2.6.1", release)
    light_tag(repository, "v2.6.1", release)
    tags = RepositorySource(path).tags()
    assert [tag.tag for tag in tags.releases] == ["2.6.1"]
    assert tags.skipped == [("v2.6.1", "the same release as tag 2.6.1")]


def test_tags_without_a_kernel_are_skipped_with_the_reason(
    repository: pygit2.Repository, path: Path
) -> None:
    light_tag(repository, "2.2.1", commit(repository, KERNEL))
    light_tag(repository, "2.2.2", commit(repository, {"README": "nothing\n"}))
    light_tag(repository, "2.2.3", write_tree(repository, KERNEL))
    annotated_tag(repository, "2.2.4", write_tree(repository, KERNEL), ObjectType.TREE)
    gone = commit(repository, {**KERNEL, "fs/gone.c": "int gone;\n"})
    light_tag(repository, "2.2.5", gone)
    object_file(path, str(gone)).unlink()
    tags = RepositorySource(path).tags()
    assert [tag.release for tag in tags.releases] == ["2.2.1"]
    assert [tag for tag, _ in tags.skipped] == ["2.2.2", "2.2.3", "2.2.4", "2.2.5"]
    reasons = [reason for _, reason in tags.skipped]
    assert reasons[0] == "not a kernel: it has no Makefile"
    assert reasons[1] == reasons[2] == "points to a tree, not to a commit"
    assert reasons[3].startswith("cannot be read: ")


def test_a_repository_with_nothing_to_read(repository: pygit2.Repository, path: Path) -> None:
    with pytest.raises(CaphistoryError, match="history has no tags"):
        RepositorySource(path).tags()
    light_tag(repository, "2.2.2", commit(repository, {"README": "nothing\n"}))
    with pytest.raises(CaphistoryError, match=r"no kernel release in history: tag 2\.2\.2: not a"):
        RepositorySource(path).tags()


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(CaphistoryError, match="is not a git repository"):
        RepositorySource(tmp_path)


def test_files_and_their_contents(repository: pygit2.Repository, path: Path) -> None:
    light_tag(repository, "2.2.24", commit(repository, KERNEL))
    source = RepositorySource(path)
    files = source.files(source.tags().releases[0])
    assert list(files) == WANTED
    for name, blob in files.items():
        content = KERNEL[name].encode()
        assert source.read(blob) == content
        assert blob == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def test_only_wanted_files(repository: pygit2.Repository, path: Path) -> None:
    light_tag(repository, "2.2.24", commit(repository, KERNEL))
    source = RepositorySource(path, wanted=lambda name: name.startswith("fs/"))
    assert list(source.files(source.tags().releases[0])) == ["fs/ext2/inode.c", "fs/open.c"]


def test_links_and_submodules_are_no_files(repository: pygit2.Repository, path: Path) -> None:
    builder = repository.TreeBuilder(write_tree(repository, KERNEL))
    builder.insert("link.c", repository.create_blob(b"kernel/sys.c"), FileMode.LINK)
    builder.insert("module.c", commit(repository, OTHER), FileMode.COMMIT)
    script = repository.create_blob(b"int executable;\n")
    builder.insert("run.c", script, FileMode.BLOB_EXECUTABLE)
    tree = builder.write()
    signature = pygit2.Signature("T", "t@example.org", 0, 0)
    light_tag(
        repository, "2.2.1", repository.create_commit(None, signature, signature, "", tree, [])
    )
    source = RepositorySource(path)
    files = source.files(source.tags().releases[0])
    assert set(files) == {*WANTED, "run.c"}


def test_listings_are_right_where_releases_share_folders(
    repository: pygit2.Repository, path: Path
) -> None:
    moved = {name.replace("fs/ext2/", "fs/ext3/"): text for name, text in KERNEL.items()}
    for release, files in {"2.2.1": KERNEL, "2.2.2": OTHER, "2.2.3": moved}.items():
        light_tag(repository, release, commit(repository, files))
    source = RepositorySource(path)
    for tag, files in zip(source.tags().releases, (KERNEL, OTHER, moved), strict=True):
        found = {name: source.read(blob).decode() for name, blob in source.files(tag).items()}
        assert found == {name: text for name, text in files.items() if name != "README"}


@pytest.mark.parametrize("damage", ["missing", "corrupt"])
def test_a_broken_blob(repository: pygit2.Repository, path: Path, damage: str) -> None:
    light_tag(repository, "2.2.24", commit(repository, KERNEL))
    source = RepositorySource(path)
    files = source.files(source.tags().releases[0])
    file = object_file(path, files["kernel/sys.c"])
    if damage == "corrupt":
        file.chmod(0o644)
        file.write_bytes(b"no zlib stream")
    else:
        file.unlink()
    with pytest.raises(BrokenObject, match=f"object {files['kernel/sys.c']} of history") as info:
        source.read(files["kernel/sys.c"])
    assert info.value.object_id == files["kernel/sys.c"]
    assert "\n" not in str(info.value)
    assert source.read(files["fs/open.c"]) == KERNEL["fs/open.c"].encode()


def test_a_broken_folder(repository: pygit2.Repository, path: Path) -> None:
    light_tag(repository, "2.2.24", commit(repository, KERNEL))
    source = RepositorySource(path)
    (tag,) = source.tags().releases
    drivers = str(repository[str(tag.tree)].peel(pygit2.Tree)["drivers"].id)
    object_file(path, drivers).unlink()
    files = source.files(tag)
    assert files["drivers/"] == drivers
    assert set(KERNEL) - set(files) == {
        "README",
        *(path for path in KERNEL if path.startswith("drivers/")),
    }
    object_file(path, str(tag.tree)).unlink()
    with pytest.raises(BrokenObject, match=str(tag.tree)):
        RepositorySource(path).files(tag)


def test_a_tree_nested_too_deep(repository: pygit2.Repository, path: Path) -> None:
    deep = {**KERNEL, f"{'a/' * 200}b.c": "int deep;\n"}
    light_tag(repository, "2.2.24", commit(repository, deep))
    source = RepositorySource(path)
    files = source.files(source.tags().releases[0])
    assert {name for name in files if name.endswith("/")} == {"a/" * 101}
    assert KERNEL.keys() - files.keys() == {"README"}


def test_reading_what_is_no_file(repository: pygit2.Repository, path: Path) -> None:
    tree = str(write_tree(repository, KERNEL))
    with pytest.raises(BrokenObject, match="it is not a file"):
        RepositorySource(path).read(tree)
    with pytest.raises(BrokenObject):
        RepositorySource(path).read("nonsense")


def test_reopening_in_another_process(repository: pygit2.Repository, path: Path) -> None:
    light_tag(repository, "2.2.24", commit(repository, KERNEL))
    with RepositorySource(path) as source:
        files = source.files(source.tags().releases[0])
        again = reopen(pickle.loads(pickle.dumps(source.spec)))
        assert again.name == source.name
        assert again.read(files["fs/open.c"]) == KERNEL["fs/open.c"].encode()


def test_a_clone_with_a_work_tree(tmp_path: Path) -> None:
    repository = pygit2.init_repository(tmp_path / "linux")
    light_tag(repository, "2.2.24", commit(repository, KERNEL))
    with open_source(str(tmp_path / "linux"), cache_dir=tmp_path / "cache") as source:
        assert source.name == "linux"
        assert len(source.tags().releases) == 1
    with open_source(str(tmp_path / "linux" / ".git"), cache_dir=tmp_path / "cache") as source:
        assert source.name == "linux"


def test_the_name_of_a_source_is_never_a_path(repository: pygit2.Repository, path: Path) -> None:
    assert RepositorySource(path).name == "history"
    repository.remotes.create("origin", str(path.parent / "elsewhere"))
    assert RepositorySource(path).name == "history"
    repository.remotes.set_url("origin", "https://someone:secret@example.org/owner/linux.git/")
    assert RepositorySource(path).name == "owner/linux"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/owner/linux.git", "owner/linux"),
        ("git@example.org:owner/linux.git", "owner/linux"),
        ("https://example.org/pub/scm/torvalds/linux/", "torvalds/linux"),
    ],
)
def test_name_of_url(url: str, name: str) -> None:
    assert is_url(url)
    assert name_of_url(url) == name


@pytest.mark.parametrize("path", ["linux", "./linux.git", "/srv/linux-2.2.24", "a:b"])
def test_paths_are_no_urls(path: str) -> None:
    assert not is_url(path)


def test_the_default_history(default_history: Path) -> None:
    with RepositorySource(default_history) as source:
        tags = source.tags(prereleases=True)
        assert len(tags.releases) == 1665
        assert {reason for _, reason in tags.skipped} == {"not the name of a Linux release"}
        assert len(tags.skipped) == 9
        assert len(source.tags().releases) == 687


def test_the_small_history(small_history: Path) -> None:
    with RepositorySource(small_history) as source:
        tags = source.tags(prereleases=True)
        assert [tag.release for tag in tags.releases] == [*RELEASES]
        reason = "not the name of a Linux release"
        assert tags.skipped == [(name, reason) for name in NO_RELEASES]
        assert len(source.tags().releases) == len(RELEASES) - 1


def test_the_files_of_a_release_are_those_that_git_lists(any_history: Path) -> None:
    with RepositorySource(any_history) as source:
        (tag,) = source.tags(["2.2.24"]).releases
        output = subprocess.run(
            ["git", "-C", str(any_history), "ls-tree", "-r", "-z", "refs/tags/2.2.24"],
            check=True,
            capture_output=True,
        ).stdout.decode("utf-8")
        listed = {
            line.split("\t")[1]: line.split()[2]
            for line in output.split("\0")
            if line.endswith((".c", ".h", ".S", ".s", "/Makefile", "\tMakefile"))
        }
        assert source.files(tag) == listed
