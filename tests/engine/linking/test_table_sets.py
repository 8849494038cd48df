"""Tables that a function took itself, and files of some kinds alone.

``CAP_A`` stands in what is called, ``CAP_WRONG`` in a table that is registered elsewhere, or that
is for devices alone.
"""

from __future__ import annotations

import pytest

from tests.engine.adapters import chain_text, linked

HEADER = """
-- include/linux/fs.h
struct file_operations { int (*open)(struct inode *, struct file *); };
struct inode { int i_mode; struct file_operations *i_fop; };
struct file { struct inode *f_inode; struct file_operations *f_op; };
struct registered { const char *name; struct file_operations *fops; };
"""

DEVICES = (
    HEADER
    + """
-- fs/devices.c
#include <linux/fs.h>
static struct registered discs[8];
static struct registered chars[8];
int register_disc(int major, struct file_operations *fops)
{
    discs[major].fops = fops;
    return 0;
}
int register_char(int major, struct file_operations *fops)
{
    chars[major].fops = fops;
    return 0;
}
static struct file_operations *take(int major, struct registered from[])
{
    struct file_operations *found = NULL;
    if (from[major].fops)
        found = from[major].fops;
    return found;
}
int disc_open(struct inode *inode, struct file *filp)
{
    filp->f_op = take(1, discs);
    if (filp->f_op != NULL)
        return filp->f_op->open(inode, filp);
    return -1;
}
int char_open(struct inode *inode, struct file *filp)
{
    filp->f_op = take(1, chars);
    return filp->f_op->open(inode, filp);
}
struct file_operations disc_fops = { .open = disc_open };
struct file_operations char_fops = { .open = char_open };
void init_device(struct inode *inode, int mode)
{
    if (S_ISCHR(mode)) {
        inode->i_fop = &char_fops;
    } else if (S_ISBLK(mode))
        inode->i_fop = &disc_fops;
}
-- drivers/disc.c
#include <linux/fs.h>
static int my_disc_open(struct inode *i, struct file *f) { return capable(CAP_A) ? 0 : -1; }
static struct file_operations my_disc = { .open = my_disc_open };
void init_module(void) { register_disc(3, &my_disc); }
-- drivers/tty.c
#include <linux/fs.h>
static int my_tty_open(struct inode *i, struct file *f) { return capable(CAP_WRONG) ? 0 : -1; }
static struct file_operations my_tty = { .open = my_tty_open };
void init_tty(void) { register_char(4, &my_tty); }
-- fs/plain.c
#include <linux/fs.h>
static int plain_open(struct inode *i, struct file *f) { return capable(CAP_B) ? 0 : -1; }
static struct file_operations plain_fops = { .open = plain_open };
void init_plain(struct inode *inode, int mode)
{
    if (S_ISREG(mode))
        inode->i_fop = &plain_fops;
    else
        init_device(inode, mode);
}
"""
)

OPEN = """
-- fs/open.c
#include <linux/fs.h>
struct file *open_inode(struct inode *inode)
{
    struct file *f = get_empty_filp();
    f->f_op = inode->i_fop;
    if (f->f_op->open)
        f->f_op->open(inode, f);
    return f;
}
"""


def asked(kernel: str, syscall: str) -> set[str | None]:
    """The capabilities that no constant keeps a syscall from asking for."""
    rows = linked(kernel).syscall_checks
    return {row.check.capability for row in rows if row.feasible and row.syscall == syscall}


def test_a_table_that_the_function_took_is_the_one_that_it_calls_by() -> None:
    call = """
-- mm/swap.c
#include <linux/fs.h>
int sys_swapon(struct inode *inode, struct file *filp) { return disc_open(inode, filp); }
"""
    assert asked(DEVICES + call, "swapon") == {"CAP_A"}


def test_a_table_that_may_be_any_other_is_not_followed() -> None:
    for unknown in (
        "filp->f_op = made_up(1);",
        "filp->f_op = take(1, discs);\nif (inode)\nfilp->f_op = made_up(1);",
        "",
    ):
        call = f"""
-- mm/swap.c
#include <linux/fs.h>
int sys_swapon(struct inode *inode, struct file *filp)
{{
    {unknown}
    return filp->f_op->open(inode, filp);
}}
"""
        assert "CAP_WRONG" in asked(DEVICES + call, "swapon")


def test_what_registers_one_nobody_knows_registers_any_that_is_registered_nowhere_else() -> None:
    more = """
-- drivers/odd.c
void init_odd(void) { register_disc(5, look_up()); }
-- mm/swap.c
#include <linux/fs.h>
int sys_swapon(struct inode *inode, struct file *filp) { return disc_open(inode, filp); }
"""
    assert asked(DEVICES + more, "swapon") == {"CAP_A"}
    odd = DEVICES.replace("register_char(4, &my_tty)", "hand_over(4, &my_tty)")
    assert "CAP_WRONG" in asked(odd + more, "swapon")


REGULAR = {
    "before": """
    if (!S_ISREG(inode->i_mode))
        return -1;
    file = open_inode(inode);
""",
    "of a copy": """
    mode = inode->i_mode;
    if ((mode & S_IFMT) != S_IFREG)
        return -1;
    file = open_inode(inode);
""",
    "around": """
    if (S_ISREG(inode->i_mode) && n) {
        file = open_inode(inode);
    }
""",
    "behind": """
    file = open_inode(inode);
    if (n)
        goto out;
    if (!S_ISREG(file->f_inode->i_mode))
        goto out;
    work(file);
out:
""",
    "behind, in a warning": """
    file = open_inode(inode);
    if (WARN_ON(!S_ISREG(file_inode(file)->i_mode) || n))
        return -1;
""",
}
BLOCK = """
    file = open_inode(inode);
    if (S_ISBLK(file->f_inode->i_mode)) {
        work(file);
    } else if (S_ISREG(file->f_inode->i_mode)) {
        work(file);
    } else
        return -1;
"""
ANY = {
    "untested": "file = open_inode(inode);",
    "goes on": """
    file = open_inode(inode);
    if (!S_ISREG(file->f_inode->i_mode))
        n = 0;
    work(file);
""",
    "of another": """
    if (!S_ISREG(other->i_mode))
        return -1;
    file = open_inode(inode);
""",
    "jumped over": """
    if (n)
        goto open;
    if (!S_ISREG(inode->i_mode))
        return -1;
open:
    file = open_inode(inode);
""",
    "directory or not": """
    if (S_ISDIR(inode->i_mode))
        return -1;
    file = open_inode(inode);
""",
}


def opened(body: str, more: str = "") -> set[str | None]:
    call = f"""
-- fs/exec.c
#include <linux/fs.h>
int sys_execve(struct inode *inode, struct inode *other, int n)
{{
    struct file *file;
    int mode;
    {body}
    return 0;
}}
"""
    return asked(DEVICES + OPEN + more + call, "execve")


@pytest.mark.parametrize("body", REGULAR.values(), ids=list(REGULAR))
def test_a_file_that_must_be_regular_opens_no_device(body: str) -> None:
    assert opened(body) == {"CAP_B"}


FILLED = """
-- fs/copy.c
#include <linux/fs.h>
int reopen(struct file *file)
{
    file->f_op = file->f_inode->i_fop;
    return file->f_op->open(file->f_inode, file);
}
"""


@pytest.mark.parametrize(
    ("declared", "handed", "found"),
    [
        ("struct file copy", "&copy", {"CAP_B"}),
        ("struct file *copy", "copy", {"CAP_A", "CAP_B", "CAP_WRONG"}),
    ],
)
def test_a_struct_that_is_filled_from_a_regular_file_is_one(
    declared: str, handed: str, found: set[str | None]
) -> None:
    """coda_readdir fills one, 2.2.24; what a pointer is set to may be another file."""
    body = f"""
    {declared};
    prepare(inode, &copy);
    if (S_ISREG(inode->i_mode))
        return reopen({handed});
"""
    assert opened(body, FILLED) == found


def test_a_file_that_may_be_a_disc_opens_no_other_device() -> None:
    assert opened(BLOCK) == {"CAP_A", "CAP_B"}


@pytest.mark.parametrize("body", ANY.values(), ids=list(ANY))
def test_a_file_of_any_kind_opens_devices_too(body: str) -> None:
    assert opened(body) == {"CAP_A", "CAP_B", "CAP_WRONG"}


def test_what_a_regular_file_passes_on_to_is_no_device_either() -> None:
    stub = """
-- fs/stub.c
#include <linux/fs.h>
static int stub_open(struct inode *inode, struct file *filp)
{
    filp->f_op = made_up(1);
    return filp->f_op->open(inode, filp);
}
static struct file_operations stub_fops = { .open = stub_open };
"""
    assert opened(REGULAR["before"], stub) == {"CAP_B"}


def test_a_table_that_others_are_given_too_is_no_device() -> None:
    more = """
-- fs/other.c
#include <linux/fs.h>
extern struct file_operations my_tty;
void init_other(struct inode *inode) { inode->i_fop = &my_tty; }
"""
    texts = DEVICES.replace("static struct file_operations my_tty", "struct file_operations my_tty")
    call = """
-- fs/exec.c
#include <linux/fs.h>
int sys_execve(struct inode *inode)
{
    if (!S_ISREG(inode->i_mode))
        return -1;
    return open_inode(inode) ? 0 : -1;
}
"""
    assert "CAP_WRONG" in asked(texts + OPEN + more + call, "execve")


PLACED = """
-- include/linux/fs.h
#define FMODE_PREAD 8
#define FMODE_PWRITE 16
struct file { int f_mode; struct file_operations *f_op; };
struct file_operations {
    int (*open)(struct inode *inode, struct file *file);
    int (*write)(struct file *file, int n);
};
-- fs/read_write.c
#include <linux/fs.h>
static int vfs_write(struct file *file, int n) { return file->f_op->write(file, n); }
int sys_write(int fd, int n) { struct file *file = fget(fd); return vfs_write(file, n); }
int sys_pwrite(int fd, int n)
{
    struct file *file = fget(fd);
    int ret = -ESPIPE;

    if (file->f_mode & FMODE_PWRITE)
        ret = vfs_write(file, n);
    return ret;
}
-- fs/seq_file.c
#include <linux/fs.h>
int seq_open(struct file *file, int n)
{
    void *p = kmalloc(n);

    if (!p)
        return -ENOMEM;
    file->f_mode &= ~(FMODE_PREAD | FMODE_PWRITE);
    return 0;
}
int single_open(struct file *file, int n)
{
    void *op = kmalloc(n);
    int res = -ENOMEM;

    if (op) {
        res = seq_open(file, n);
        if (res)
            kfree(op);
    }
    return res;
}
-- fs/proc.c
#include <linux/fs.h>
static int map_write(struct file *file, int n) { return capable(CAP_A); }
static int map_open(struct inode *inode, struct file *file) { OPEN }
static struct file_operations map_fops = { .open = map_open, .write = map_write };
void init_map(struct inode *inode) { inode->i_fop = &map_fops; }
"""
TRACE = "if (file->f_mode & FMODE_READ) return seq_open(file, 1); return 0;"
KEEP = "int ret = seq_open(file, 1); if (!ret) file->f_mode |= FMODE_PWRITE; return ret;"


@pytest.mark.parametrize(
    ("opening", "more", "placed"),
    [
        ("return seq_open(file, 1);", "", False),
        ("return single_open(file, 1);", "", False),
        ("int ret = seq_open(file, 1); if (ret) put(inode); return ret;", "", False),
        ("file->f_mode &= ~FMODE_PWRITE; return 0;", "", False),
        ("file->f_mode &= ~FMODE_PREAD; return 0;", "", True),
        ("return 0;", "", True),
        (TRACE, "", True),
        (KEEP, "", True),
        ("return seq_open(file, 1);", "struct file_operations o = { .write = map_write };", True),
        (
            "return seq_open(file, 1);",
            "struct file_operations o = { .open = map_open, .write = map_write };",
            False,
        ),
    ],
)
def test_a_file_that_is_opened_as_a_sequence_is_written_at_no_place(
    opening: str, more: str, placed: bool
) -> None:
    """pwrite of /proc/PID/uid_map is ESPIPE, 6.8."""
    text = PLACED.replace("OPEN", opening) + more
    assert asked(text, "write") == {"CAP_A"}
    assert asked(text, "pwrite") == ({"CAP_A"} if placed else set())


OPENED = (
    DEVICES
    + OPEN
    + """
-- fs/namei.c
int sys_open(struct inode *inode) { return open_inode(inode) ? 0 : -1; }
"""
)


def way_to_tty(more: str = "", kernel: str = OPENED) -> str:
    """How open comes to the open of a driver."""
    rows = linked(kernel + more).syscall_checks
    (found,) = {
        f"{row.pointer_hops}: {chain_text(row)}"
        for row in rows
        if row.feasible and row.check.capability == "CAP_WRONG"
    }
    return found


THROUGH = (
    "1: sys_open open_inode (file_operations.open) char_open (file_operations.open)"
    " my_tty_open: CAP_WRONG"
)
AT_ONCE = "1: sys_open open_inode (file_operations.open) my_tty_open: CAP_WRONG"


def test_a_driver_is_opened_by_what_the_inode_of_a_device_has() -> None:
    """chrdev_open; it only hands on, which chooses no more than the device."""
    assert way_to_tty() == THROUGH


def test_what_hands_on_something_else_is_no_layer() -> None:
    kernel = OPENED.replace(
        """filp->f_op = take(1, chars);
    return filp->f_op->open(inode, filp);""",
        """filp->f_op = take(1, chars);
    return filp->f_op->open(inode->i_next, filp);""",
    )
    assert way_to_tty(kernel=kernel) == AT_ONCE


OPEN_BY_LOCAL = OPENED.replace(
    """    f->f_op = inode->i_fop;
    if (f->f_op->open)
        f->f_op->open(inode, f);
    return f;
}
""",
    """    return do_open(f, inode, NULL);
}
struct file *do_open(struct file *f, struct inode *inode,
                     int (*open)(struct inode *, struct file *))
{
    f->f_op = inode->i_fop;
    if (!open)
        open = f->f_op->open;
    if (open)
        open(inode, f);
    return f;
}
""",
)


@pytest.mark.parametrize(
    ("given", "way"),
    [
        ("f->f_op->open", THROUGH),
        # Nobody knows which table that is.
        ("((struct file_operations *)inode->i_mode)->open", AT_ONCE),
    ],
)
def test_what_a_local_pointer_holds_is_of_the_table_that_it_is_from(given: str, way: str) -> None:
    """do_dentry_open, 6.8; its caller may hand it another function."""
    kernel = OPEN_BY_LOCAL.replace("f->f_op->open;", f"{given};")
    way = way.replace("open_inode", "open_inode do_open")
    assert way_to_tty(kernel=kernel) == way


def test_so_is_what_it_holds_from_the_start() -> None:
    declared = "int (*own)(struct inode *, struct file *) = f->f_op->open;"
    kernel = OPEN_BY_LOCAL.replace("if (!open)", declared).replace(
        "open(inode, f);", "own(inode, f);"
    )
    kernel = kernel.replace("        open = f->f_op->open;\n", "").replace("if (open)", "if (own)")
    assert way_to_tty(kernel=kernel) == THROUGH.replace("open_inode", "open_inode do_open")


BY_ANY = THROUGH.replace("1:", "2:")


@pytest.mark.parametrize(
    ("body", "way"),
    [
        # misc_open, 6.8
        ("fops = take(1, chars); replace_fops(filp, fops); OPEN(inode, filp);", THROUGH),
        ("fops = take(1, chars); look_at(filp, fops); OPEN(inode, filp);", AT_ONCE),
        # memory_open, 2.6.9 and 6.8
        ("switch (n) { case 1: filp->f_op = &my_tty; break; } OPEN(inode, filp);", THROUGH),
        ("dev = &chars[1]; if (dev->fops) return dev->fops->open(inode, filp);", THROUGH),
        ("dev = &chars[1]; if (dev->fops) return dev->fops->open(inode, dev->f);", BY_ANY),
    ],
)
def test_a_layer_calls_what_it_gives_to_the_file_wherever(body: str, way: str) -> None:
    written = body.replace("OPEN(inode, filp)", "return filp->f_op->open(inode, filp)")
    kernel = OPENED.replace(
        """    filp->f_op = take(1, chars);
    return filp->f_op->open(inode, filp);""",
        f"    struct registered *dev; struct file_operations *fops; int n = 1; {written}",
    ).replace("static struct file_operations my_tty", "struct file_operations my_tty")
    macros = """
extern struct file_operations my_tty;
#define replace_fops(f, fops) \\
    do { struct file *__f = (f); BUG_ON(!(__f->f_op = (fops))); } while (0)
#define look_at(f, fops) do { struct file *__f = (f); note(__f->f_op, fops); } while (0)
"""
    header = "struct registered { const char *name; struct file_operations *fops; };\n"
    assert way_to_tty(kernel=kernel.replace(header, header + macros)) == way


@pytest.mark.parametrize(
    ("more", "way"),
    [
        ("int look(struct inode *i) { return char_open(i, get_empty_filp()); }", AT_ONCE),
        (
            """
static int tree_open(struct inode *i, struct file *f) { return char_open(i, f); }
struct file_operations tree_fops = { .open = tree_open };
""",
            THROUGH,
        ),
    ],
)
def test_what_is_called_by_name_is_a_layer_if_layers_call_it(more: str, way: str) -> None:
    """blkdev_open is called by swapon (2.2), chrdev_open by devfs_open (2.4)."""
    assert way_to_tty(f"\n-- fs/look.c\n#include <linux/fs.h>\n{more}") == way


@pytest.mark.parametrize(
    ("more", "way"),
    [
        # As proc_fops are, which are taken from where they are registered.
        ("void init(struct inode *inode) { inode->i_fop = chars[2].fops; }", AT_ONCE),
        ("void init(struct inode *inode) { inode->i_fop = &my_tty; }", AT_ONCE),
        # What is not known is none of those that are known to stand elsewhere.
        ("void init(struct inode *inode) { inode->i_fop = look_up(inode); }", THROUGH),
        # What two members take from each other is known.
        (
            """
void keep(struct registered *kept, struct inode *inode) { kept->fops = inode->i_fop; }
void give(struct registered *kept, struct inode *inode) { inode->i_fop = kept->fops; }
""",
            AT_ONCE,
        ),
    ],
)
def test_an_inode_has_the_tables_that_it_is_given(more: str, way: str) -> None:
    kernel = OPENED.replace("static struct file_operations my_tty", "struct file_operations my_tty")
    kernel = kernel.replace("static struct registered chars", "struct registered chars")
    text = f"""
-- fs/more.c
#include <linux/fs.h>
extern struct file_operations my_tty;
extern struct registered chars[8];
{more}
"""
    assert way_to_tty(text, kernel) == way


def test_a_table_that_stands_nowhere_else_may_be_what_is_not_known() -> None:
    more = """
-- fs/more.c
#include <linux/fs.h>
void init(struct inode *inode) { inode->i_fop = look_up(inode); }
"""
    kernel = OPENED.replace("register_char(4, &my_tty)", "hand_over(4, &my_tty)")
    assert way_to_tty(more, kernel) == AT_ONCE
