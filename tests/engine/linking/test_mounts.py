"""Files on a mount that the kernel keeps for itself: they have that file system's tables.

``CAP_A`` stands in what the file system has, ``CAP_WRONG`` in the open of a device.
"""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked


def asked(kernel: str, syscall: str) -> set[str | None]:
    """The capabilities that no constant keeps a syscall from asking for."""
    rows = linked(kernel).syscall_checks
    return {row.check.capability for row in rows if row.feasible and row.syscall == syscall}


FILES = """
-- include/linux/fs.h
struct file_system_type { const char *name; int (*fill)(struct super_block *sb); };
struct vfsmount { struct dentry *mnt_root; };
struct dentry { struct inode *d_inode; };
struct path { struct vfsmount *mnt; struct dentry *dentry; };
struct inode { int i_mode; struct file_operations *i_fop; };
struct file { struct file_operations *f_op; };
struct file_operations {
    int (*open)(struct inode *inode, struct file *file);
    int (*write)(struct file *file, int n);
};
struct tree_descr { const char *name; struct file_operations *ops; };
struct namespace { struct vfsmount *mq_mnt; };
struct task_struct { struct namespace *ns; };
extern struct task_struct *current;
-- fs/open.c
#include <linux/fs.h>
static int do_open(struct file *f, struct inode *inode, int (*open)(struct inode *, struct file *))
{
    f->f_op = inode->i_fop;
    if (!open)
        open = f->f_op->open;
    return open(inode, f);
}
int finish_open(struct file *f, struct inode *inode, int (*open)(struct inode *, struct file *))
{
    return do_open(f, inode, open);
}
struct file *dentry_open(struct dentry *dentry, struct vfsmount *mnt, int flags)
{
    struct file *f = get_empty_filp();
    return do_open(f, dentry->d_inode, NULL) ? NULL : f;
}
struct file *path_open(struct path *path, int flags)
{
    return dentry_open(path->dentry, path->mnt, flags);
}
int sys_open(int n)
{
    struct dentry *dentry = lookup(n);
    return dentry_open(dentry, NULL, n) ? 0 : -1;
}
-- fs/libfs.c
#include <linux/fs.h>
int simple_fill(struct super_block *sb, struct tree_descr *files)
{
    struct inode *inode = new_inode(sb);
    inode->i_fop = files->ops;
    return 0;
}
-- drivers/char/my.c
#include <linux/fs.h>
static int my_open(struct inode *inode, struct file *file) { return capable(CAP_WRONG); }
static int my_write(struct file *file, int n) { return capable(CAP_WRONG); }
static struct file_operations my_fops = { .open = my_open, .write = my_write };
int my_create(struct file *f, struct inode *inode) { return finish_open(f, inode, my_open); }
void init_special(struct inode *inode) { inode->i_fop = &my_fops; }
"""
QUEUES = """
-- ipc/queue.c
#include <linux/fs.h>
static int queue_open(struct inode *inode, struct file *file) { return capable(CAP_A); }
static int queue_write(struct file *file, int n) { return capable(CAP_A); }
static struct file_operations queue_fops = { .open = queue_open, .write = queue_write };
static int queue_fill(struct super_block *sb)
{
    struct inode *inode = new_inode(sb);
    inode->i_fop = &queue_fops;
    MORE
    return 0;
}
static struct file_system_type queue_type = { .name = "queue", .fill = queue_fill };
static struct vfsmount *queue_mnt;
static struct vfsmount *mount_queue(struct namespace *ns)
{
    struct context *fc = context_for_mount(&queue_type, 1);
    return fc_mount(fc);
}
int queue_init(struct namespace *ns)
{
    struct vfsmount *m;
    if (IS_ERR(queue_mnt = kern_mount(&queue_type)))
        return -1;
    m = mount_queue(ns);
    if (IS_ERR(m))
        return -1;
    ns->mq_mnt = m;
    return 0;
}
int sys_queue(const char *name, int n, struct vfsmount *other)
{
    struct dentry *dentry;
    struct file *file;
    struct path path;
    struct vfsmount *mnt;
    BODY
    return 0;
}
"""
OWN = {
    "a variable": """dentry = lookup_one(name, queue_mnt->mnt_root);
        file = dentry_open(dentry, queue_mnt, n);""",
    "what was looked up there": """dentry = lookup_one(name, queue_mnt->mnt_root);
        file = dentry_open(dentry, NULL, n);""",
    "of a namespace": """mnt = current->ns->mq_mnt;
        path.dentry = lookup_one(name, mnt->mnt_root);
        path.mnt = mntget(mnt);
        file = path_open(&path, n);""",
    "of what nobody declares": """mnt = somebody()->ns->mq_mnt;
        file = dentry_open(lookup_one(name, mnt->mnt_root), mnt, n);""",
}
ANY = {
    "another mount": """dentry = lookup_one(name, other->mnt_root);
        file = dentry_open(dentry, NULL, n);""",
    "one of two": """mnt = current->ns->mq_mnt; if (n) mnt = other;
        file = dentry_open(lookup_one(name, mnt->mnt_root), mnt, n);""",
    "one name": """dentry = lookup_one(name, queue_mnt->mnt_root); dentry = lookup(n);
        file = dentry_open(dentry, NULL, n);""",
}


def opened(body: str, more: str = "", others: str = "") -> set[str | None]:
    queues = QUEUES.replace("BODY", body).replace("MORE", more)
    return asked(FILES + queues + others, "queue")


@pytest.mark.parametrize("body", OWN.values(), ids=list(OWN))
def test_what_is_on_an_own_mount_is_no_device(body: str) -> None:
    """mq_open finds message queues only."""
    assert opened(body) == {"CAP_A"}


@pytest.mark.parametrize("body", ANY.values(), ids=list(ANY))
def test_what_may_be_elsewhere_may_be_a_device(body: str) -> None:
    assert opened(body) == {"CAP_A", "CAP_WRONG"}


def test_a_file_system_may_have_devices() -> None:
    """What a tmpfs holds may be any file."""
    assert opened(OWN["a variable"], "init_special(inode);") == {"CAP_A", "CAP_WRONG"}


def test_a_mount_that_others_set_too_may_be_any() -> None:
    others = """
-- kernel/ns.c
#include <linux/fs.h>
void set(struct namespace *ns, struct vfsmount *mnt) { ns->mq_mnt = mnt; }
"""
    assert opened(OWN["of a namespace"], others=others) == {"CAP_A", "CAP_WRONG"}
    assert opened(OWN["of what nobody declares"], others=others) == {"CAP_A", "CAP_WRONG"}


def test_who_opens_any_file_opens_devices_too() -> None:
    queues = QUEUES.replace("BODY", OWN["a variable"])
    assert asked(FILES + queues, "open") == {"CAP_A", "CAP_WRONG"}


CONTROL = """
-- fs/control.c
#include <linux/fs.h>
static int control_open(struct inode *inode, struct file *file) { return 0; }
static int control_write(struct file *file, int n) { return capable(CAP_A); }
static struct file_operations control_fops = { .open = control_open, .write = control_write };
static int control_fill(struct super_block *sb)
{
    static struct tree_descr control_files[] = { [2] = { "control", &control_fops } };
    return simple_fill(sb, control_files);
}
static struct file_system_type control_type = { .name = "control", .fill = control_fill };
-- fs/control_call.c
#include <linux/fs.h>
static struct file *open_control(int flags)
{
    struct path path;
    path.mnt = do_kern_mount("control", 0);
    if (IS_ERR(path.mnt))
        return (struct file *)path.mnt;
    path.dentry = dget(path.mnt->mnt_root);
    if (flags)
        return dentry_open(path.dentry, path.mnt, flags);
    return ERR_PTR(-1);
}
int sys_control(int n, struct file *other)
{
    struct file *file = OPEN;
    return file->f_op->write(file, n);
}
"""


@pytest.mark.parametrize(
    ("opening", "found"),
    [("open_control(n)", {"CAP_A"}), ("fget(n)", {"CAP_A", "CAP_WRONG"})],
)
def test_what_is_opened_on_a_mount_by_name_is_of_that_file_system(
    opening: str, found: set[str | None]
) -> None:
    """nfsservctl writes to files of nfsd, 2.6.9."""
    assert asked(FILES + CONTROL.replace("OPEN", opening), "control") == found


INIT = """
int init_control(struct inode *inode)
{
    create_entry(inode);
    return REGISTER;
}
-- fs/entries.c
#include <linux/fs.h>
static int entry_write(struct file *file, int n) { return capable(CAP_WRONG); }
static struct file_operations entry_fops = { .write = entry_write };
static int register_entry(struct inode *inode) { inode->i_fop = &entry_fops; return 0; }
int create_entry(struct inode *inode) { return register_entry(inode); }
-- fs/control_call.c"""


@pytest.mark.parametrize(
    ("registering", "found"),
    [("register_filesystem(&control_type)", {"CAP_A"}), ("0", {"CAP_A", "CAP_WRONG"})],
)
def test_who_registers_a_file_system_may_make_files_elsewhere(
    registering: str, found: set[str | None]
) -> None:
    """nfsd makes a file of /proc where it registers its file system, 2.6.9."""
    init = INIT.replace("REGISTER", registering)
    control = CONTROL.replace("-- fs/control_call.c", init).replace("OPEN", "open_control(n)")
    assert asked(FILES + control, "control") == found


MOUNTING = """
-- fs/super.c
#include <linux/fs.h>
struct vfsmount *do_kern_mount(const char *name, int flags)
{
    struct file_system_type *type = get_fs_type(name);
    return type->fill(alloc_super(type)) ? NULL : alloc_mount(type);
}
-- fs/control.c
#include <linux/fs.h>
static int control_fill(struct super_block *sb) { return capable(CAP_A); }
static struct file_system_type control_type = { .name = "control", .fill = control_fill };
-- fs/other.c
#include <linux/fs.h>
static int other_fill(struct super_block *sb) { return capable(CAP_WRONG); }
static struct file_system_type other_type = { .name = "other", .fill = other_fill };
-- fs/mount.c
#include <linux/fs.h>
int sys_control(const char *name) { return do_kern_mount(NAME, 0) ? 0 : -1; }
"""


@pytest.mark.parametrize(
    ("name", "found"), [('"control"', {"CAP_A"}), ("name", {"CAP_A", "CAP_WRONG"})]
)
def test_what_is_mounted_by_name_is_that_file_system(name: str, found: set[str | None]) -> None:
    """nfsservctl mounts "nfsd", 2.6.9."""
    assert asked(FILES + MOUNTING.replace("NAME", name), "control") == found
