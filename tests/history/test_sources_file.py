"""Files that list sources of kernels: what they give, and what is said of each bad entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2
import pytest

from caphistory.errors import CaphistoryError
from caphistory.history.sources_file import Listing, open_listing, read_entries
from caphistory.history.versions import position
from caphistory.paths import data_path
from tests.kernels.archives import kernel_members, write_folder, write_tarball
from tests.kernels.git import commit, light_tag
from tests.kernels.minimal import KERNEL, WANTED

NOBODY = "https://nobody.invalid/owner/name"


def makefile(release: str) -> str:
    version, patchlevel, sublevel = release.split(".")
    return f"VERSION = {version}\nPATCHLEVEL = {patchlevel}\nSUBLEVEL = {sublevel}\n"


def files(release: str, folder: str = "") -> dict[str, str]:
    """The files of a kernel."""
    made = {**KERNEL, "Makefile": makefile(release)}
    return {f"{folder}{path}": text for path, text in made.items()}


def make_repository(
    path: Path, trees: Mapping[str, Mapping[str, str]], *, tagged: bool = False
) -> dict[str, str]:
    """A repository with a commit for each release; gives their ids."""
    repository = pygit2.init_repository(path, bare=True)
    commits = {release: commit(repository, tree) for release, tree in trees.items()}
    if tagged:
        for release, made in commits.items():
            light_tag(repository, f"v{release}", made)
    return {release: str(made) for release, made in commits.items()}


def write(tmp_path: Path, *entries: str) -> Path:
    """A file with these entries, beside what they name."""
    file = tmp_path / "sources.toml"
    file.write_text("".join(f"[[source]]\n{entry}\n" for entry in entries), "utf-8")
    return file


def open_it(tmp_path: Path, *entries: str, **options: object) -> Listing:
    """Open the sources of a file with these entries; they are closed with the process."""
    file = write(tmp_path, *entries)
    return open_listing(file, cache_dir=tmp_path / "cache", **options)  # type: ignore[arg-type]


def releases(listing: Listing) -> list[str]:
    return [tag.release for source in listing.sources for tag in source.tags().releases]


@pytest.fixture
def untagged(tmp_path: Path) -> dict[str, str]:
    """A repository with two releases and no tag."""
    return make_repository(tmp_path / "a.git", {one: files(one) for one in ("2.2.1", "2.2.2")})


def test_a_commit_without_a_tag_is_a_release(tmp_path: Path, untagged: dict[str, str]) -> None:
    listing = open_it(tmp_path, f'repository = "a.git"\ncommit = "{untagged["2.2.2"]}"')
    assert listing.problems == []
    (source,) = listing.sources
    (tag,) = source.tags().releases
    assert (source.name, source.in_git) == ("a", True)
    assert (tag.release, tag.commit_sha, tag.provenance) == ("2.2.2", untagged["2.2.2"], "tree")
    assert list(source.files(tag)) == WANTED
    assert source.read(source.files(tag)["kernel/sys.c"]) == KERNEL["kernel/sys.c"].encode()
    assert source.spec.path == str(tmp_path / "a.git")


def test_the_commits_of_one_repository_are_one_source_in_order_of_version(
    tmp_path: Path, untagged: dict[str, str]
) -> None:
    listing = open_it(
        tmp_path,
        *(f'repository = "a.git"\ncommit = "{untagged[one]}"' for one in ("2.2.2", "2.2.1")),
    )
    assert len(listing.sources) == 1
    assert releases(listing) == ["2.2.1", "2.2.2"]


def test_the_file_names_the_release_and_says_what_is_known_of_it(
    tmp_path: Path, untagged: dict[str, str]
) -> None:
    listing = open_it(
        tmp_path,
        f'repository = "a.git"\ncommit = "{untagged["2.2.2"]}"\nrelease = "v2.2.3"\n'
        'provenance = "defective"\nnote = "Parts are lost."\nexclude = ["fs/ext2/"]\n'
        'exclude_syscalls = ["toy"]\nlacks = ["drivers/"]',
    )
    (source,) = listing.sources
    (tag,) = source.tags().releases
    assert (tag.release, tag.provenance, tag.note) == ("2.2.3", "defective", "Parts are lost.")
    assert (tag.exclusions.syscalls, tag.lacking) == (("toy",), ("drivers/",))
    assert list(source.files(tag)) == [path for path in WANTED if path != "fs/ext2/inode.c"]


@pytest.mark.parametrize("folder", ["", 'folder = "old/linux"\n', 'folder = "linux-2.2.2/"\n'])
def test_a_kernel_in_a_folder_of_the_tree(tmp_path: Path, folder: str) -> None:
    """Without being told, one in a folder of the root that is named after the release."""
    tree = {**files("2.2.2", "linux-2.2.2/"), **files("2.2.1", "other/"), "README": "two\n"}
    tree |= files("2.2.1", "old/linux/")
    made = make_repository(tmp_path / "a.git", {"2.2.2": tree})
    listing = open_it(
        tmp_path, f'repository = "a.git"\ncommit = "{made["2.2.2"]}"\nrelease = "2.2.2"\n{folder}'
    )
    (source,) = listing.sources
    (tag,) = source.tags().releases
    content = source.read(source.files(tag)["Makefile"])
    assert content == makefile("2.2.1" if "old/" in folder else "2.2.2").encode()


@pytest.mark.parametrize("kind", ["tarball", "folder"])
def test_an_archive(tmp_path: Path, kind: str) -> None:
    if kind == "tarball":
        write_tarball(tmp_path / "linux", kernel_members("linux/", files("2.2.2")))
        (tmp_path / "linux").rename(tmp_path / "linux.tar.gz")
    else:
        write_folder(tmp_path / "linux.tar.gz", files("2.2.2"))
    listing = open_it(tmp_path, 'archive = "linux.tar.gz"\nnote = "Patched."')
    (source,) = listing.sources
    (tag,) = source.tags().releases
    assert (source.name, source.in_git) == ("linux.tar.gz", False)
    assert (tag.release, tag.provenance, tag.note) == ("2.2.2", "tree", "Patched.")
    assert list(source.files(tag)) == WANTED
    source.close()


def test_an_archive_that_is_not_needed_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "linux.tar.gz").write_bytes(b"no tarball at all")
    listing = open_it(
        tmp_path, 'archive = "linux.tar.gz"\nrelease = "2.2.2"', needed=lambda release: False
    )
    assert (listing.problems, releases(listing)) == ([], ["2.2.2"])


def test_tags_and_prereleases_are_chosen(tmp_path: Path) -> None:
    trees = {one: files("2.2.1") for one in ("2.2.1", "2.2.2-rc1", "2.2.2", "2.4.1")}
    make_repository(tmp_path / "a.git", trees, tagged=True)
    assert releases(open_it(tmp_path, 'repository = "a.git"')) == ["2.2.1", "2.2.2", "2.4.1"]
    chosen = 'repository = "a.git"\ntags = ["v2.2.*"]'
    assert releases(open_it(tmp_path, chosen)) == ["2.2.1", "2.2.2"]
    both = ["2.2.1", "2.2.2-rc1", "2.2.2"]
    assert releases(open_it(tmp_path, f"{chosen}\nprereleases = true")) == both
    assert releases(open_it(tmp_path, chosen, prereleases=True)) == both


@pytest.mark.parametrize(
    "place",
    [
        "cache/host.example+owner+name.git",
        "mirrors/host.example+owner+name.git",
        "mirrors/owner+name/repo",
        "mirrors/owner+name.git",
        "mirrors/owner/name",
        "mirrors/name.git",
    ],
)
def test_a_clone_is_found_by_its_address(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    made = make_repository(tmp_path / place, {"2.2.2": files("2.2.2")})
    listing = open_it(
        tmp_path,
        'repository = "https://host.example/owner/name.git"\n'
        f'commit = "{made["2.2.2"]}"\nprovenance = "mainline"',
        mirrors=[tmp_path / "mirrors"],
    )
    assert (listing.problems, releases(listing)) == ([], ["2.2.2"])
    assert listing.sources[0].name == "owner/name"


def test_a_copy_serves_as_well_under_the_name_of_the_repository(
    tmp_path: Path, untagged: dict[str, str]
) -> None:
    """Also where a clone of the repository is there that has not the commit."""
    (tmp_path / "mirrors").mkdir()
    make_repository(tmp_path / "mirrors" / "owner+name", {})
    listing = open_it(
        tmp_path,
        f'repository = "{NOBODY}"\ncopies = ["{(tmp_path / "a.git").as_posix()}"]\n'
        f'commit = "{untagged["2.2.2"]}"',
        mirrors=[tmp_path / "mirrors"],
    )
    assert (listing.problems, releases(listing)) == ([], ["2.2.2"])
    assert listing.sources[0].name == "owner/name"


def test_a_known_mainline_commit_is_mainline_in_any_clone(
    tmp_path: Path, untagged: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from caphistory.history import provenance

    known = frozenset({untagged["2.2.2"]})
    monkeypatch.setattr(provenance, "_mainline_commits", lambda: known)
    listing = open_it(
        tmp_path,
        *(f'repository = "a.git"\ncommit = "{one}"' for one in untagged.values()),
    )
    (source,) = listing.sources
    assert [tag.provenance for tag in source.tags().releases] == ["tree", "mainline"]


def test_the_date_of_a_commit_counts_for_the_mainline_alone(tmp_path: Path) -> None:
    repository = pygit2.init_repository(tmp_path / "a.git", bare=True)
    first = commit(repository, files("2.2.1"))
    made = commit(repository, files("2.2.2"), first)
    for provenance, date in (("mainline", "2001-09-09"), ("tree", None)):
        listing = open_it(
            tmp_path, f'repository = "a.git"\ncommit = "{made}"\nprovenance = "{provenance}"'
        )
        (tag,) = listing.sources[0].tags().releases
        assert (tag.committed, tag.authored) == (date, date)


GOOD = 'repository = "good.git"'


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ('repository = "nowhere.git"', "nowhere.git is no git repository"),
        ('repository = "empty"', "empty is no git repository"),
        ('repository = "a.git"', "a has no tags, so it has no releases to read"),
        ('repository = "good.git"\ntags = ["3.*"]', "no tag of good matches 3.*"),
        (f'repository = "a.git"\ncommit = "{"0" * 40}"', f"commit {'0' * 40} is not in a"),
        ('repository = "a.git"\ncommit = "beef"', "commit beef is not 40 hexadecimal digits"),
        ('repository = "a.git"\ncommit = "NO KERNEL"', "it has no Makefile"),
        ('repository = "a.git"\ncommit = "BLOB"', "of a is a blob"),
        (
            'repository = "a.git"\ncommit = "2.2.1"\nfolder = "linux"',
            "there is no folder linux in that commit",
        ),
        ('repository = "a.git"\ncommit = "2.2.1"\nfolder = "fs"', "no kernel in fs of commit"),
        ('repository = "a.git"\ncommit = "NO NAME"', "its Makefile names none"),
        ('repository = "good.git"\ntags = ["2.2.9"]', "2.2.9 is there already from entry 1"),
        ('repository = "a.git"\ncommit = "2.2.1"\nrelease = "2.2.9"', "already from entry 1"),
        ('repository = "a.git"\ncommit = "2.2.1"\nrelease = "x"', "x is not the name of a"),
        ('archive = "none.tar.xz"', "there is no tarball and no unpacked kernel none.tar.xz"),
        ('archive = "bad.tar.xz"', "bad.tar.xz is damaged, truncated or no tar archive"),
        ('archive = "empty"', "empty is neither a git repository nor an unpacked kernel"),
        ("", "needs a repository or an archive, and not both"),
        ('repository = "a.git"\narchive = "b"', "needs a repository or an archive, and not both"),
        ('repository = "a.git"\ncomit = "b"', "unknown key comit; known are repository, copies"),
        ('repository = "a.git"\ntags = "2.2.*"', "tags is not a list of texts"),
        ('repository = "a.git"\nprereleases = "no"', "prereleases is not true or false"),
        ('repository = ""', "repository is not a text"),
        ("repository = 3", "repository is not a text"),
        (
            f'repository = "a.git"\ncommit = "{"0" * 40}"\ntags = ["2.*"]',
            "has a commit, so it can have no tags and no prereleases",
        ),
        ('archive = "b"\ntags = ["2.*"]', "has an archive, so it can have no copies, tags or"),
        ('repository = "a.git"\nfolder = "b"', "has a folder, which goes with a commit only"),
        ('repository = "a.git"\nrelease = "2.2.1"', "has a release, which goes with a commit or"),
        (
            'repository = "a.git"\nprovenance = "sure"',
            "provenance sure is none of mainline, tree, defective",
        ),
        (
            'repository = "a.git"\nprovenance = "defective"',
            "is defective, so it needs a note that names the defects",
        ),
        ('number = 3\nrepository = "a.git"', "unknown key number"),
    ],
)
def test_a_bad_entry_is_one_line_and_the_others_are_read(
    tmp_path: Path, entry: str, problem: str
) -> None:
    make_repository(tmp_path / "good.git", {"2.2.9": files("2.2.9")}, tagged=True)
    nameless = {**KERNEL, "Makefile": "all:\n"}
    trees = {"2.2.1": files("2.2.1"), "NO KERNEL": {"README": "x\n"}, "NO NAME": nameless}
    made = make_repository(tmp_path / "a.git", trees)
    made["BLOB"] = str(pygit2.Repository(str(tmp_path / "a.git")).create_blob(b"x"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.tar.xz").write_bytes(b"nothing")
    for name, object_id in made.items():
        entry = entry.replace(f'commit = "{name}"', f'commit = "{object_id}"')
    listing = open_it(tmp_path, GOOD, entry)
    assert len(listing.problems) == 1
    assert listing.problems[0].startswith("entry 2: ")
    assert problem in listing.problems[0]
    assert "\n" not in listing.problems[0]
    assert releases(listing) == ["2.2.9"]
    assert not list((tmp_path / "cache").glob("*")) or "tar" in entry


def test_two_entries_with_several_releases_in_common(tmp_path: Path) -> None:
    make_repository(tmp_path / "good.git", {"2.2.9": files("2.2.9")}, tagged=True)
    trees = {one: files(one) for one in ("2.2.1", "2.2.2", "2.2.3")}
    make_repository(tmp_path / "a.git", trees, tagged=True)
    listing = open_it(
        tmp_path, 'repository = "a.git"\ntags = ["2.2.1", "2.2.2"]', GOOD, 'repository = "a.git"'
    )
    assert listing.problems == ["entry 3: 2.2.1 and 1 more is there already from entry 1"]
    assert sorted(releases(listing)) == ["2.2.1", "2.2.2", "2.2.3", "2.2.9"]


def test_an_address_that_cannot_be_cloned_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(url: str, folder: Path, progress: object) -> None:
        tried.append(url)
        raise CaphistoryError(f"cannot clone {url}")

    monkeypatch.setattr("caphistory.history.sources_file.clone", refuse)
    entry = f'repository = "{NOBODY}"\ncopies = ["{NOBODY}2"]\ncommit = "{"0" * 40}"'
    listing = open_it(tmp_path, entry, entry)
    assert tried == [f"{NOBODY}2", NOBODY]
    assert listing.problems == [f"entry {n}: cannot clone {NOBODY}2" for n in (1, 2)]
    assert listing.sources == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "lists no sources"),
        (b"source = []\n", "lists no sources"),
        (b"source = 3\n", "lists no sources"),
        (b'more = 1\n[[source]]\nrepository = "a"\n', "lists no sources"),
        (b"[[source]\n", "is not TOML: "),
        (b"[[source]]\nnote = '\xff'\n", "is not TOML: "),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes | None, problem: str) -> None:
    file = tmp_path / "sources.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CaphistoryError, match=problem):
        open_listing(file, cache_dir=tmp_path)
    with pytest.raises(CaphistoryError, match="cannot read"):
        open_listing(tmp_path, cache_dir=tmp_path)


def test_an_entry_that_is_no_table(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text('source = [3, {repository = "a.git"}]\n')
    entries, problems = read_entries(file)
    assert [entry.number for entry in entries] == [2]
    assert problems == ["entry 1: is no table of keys and values"]


def test_what_ships_is_listed() -> None:
    """Every release once, the mainline without a hole up to 3.1, and each defect named."""
    entries, problems = read_entries(data_path("sources.toml"))
    assert problems == []
    assert [entry.number for entry in entries if not entry.release] == [1]
    listed = [entry.release for entry in entries[1:]]
    assert listed == sorted(listed, key=position)
    assert len(set(listed)) == len(listed)
    mainline = [entry.release for entry in entries[1:] if entry.provenance == "mainline"]
    assert mainline == [*(f"2.6.{n}" for n in range(12, 40)), "3.0", "3.1"]
    assert listed[-1] == "7.1.5"
    assert {"4.15", "5.15", "6.1.192", "6.8", "6.12.117"} <= set(listed)
    assert not {"3.8.13", "5.17-rc5"} & set(listed)
    for entry in entries:
        assert bool(entry.lacks) == ("lacks" in entry.note)
