"""The smallest kernel that is one: a Makefile with its version, and a few files."""

from __future__ import annotations

MAKEFILE = "VERSION = 2\nPATCHLEVEL = 2\nSUBLEVEL = 24\nEXTRAVERSION =\n"

KERNEL = {
    "Makefile": MAKEFILE,
    "README": "not read\n",
    "init/main.c": "int start_kernel(void) { return 0; }\n",
    "kernel/sys.c": "int sys_example(void) { return suser() ? 0 : -1; }\n",
    "fs/open.c": "int sys_chroot_example(void) { return 0; }\n",
    "fs/ext2/inode.c": "int ext2_example;\n",
    "arch/i386/kernel/entry.S": "# table\n",
    "drivers/char/caf\u00e9.c": "int coffee;\n",
}
WANTED = sorted(set(KERNEL) - {"README"})
