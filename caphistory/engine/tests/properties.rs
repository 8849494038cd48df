//! Whatever bytes come, reading and linking end, do not panic, and give the same each time.
//!
//! `PROPTEST_CASES` sets how many inputs each property is tried on, `MANGLED_FILES` names a folder
//! with C files that are mangled too.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use caphistory_engine::facts::Blob;
use caphistory_engine::reader::{Store, read, read_assembler};
use caphistory_engine::release::{LeftOut, LinkedRelease, link, texts_wanted};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const FEW: u32 = 48;

/// Words and signs that C, the preprocessor and kernels give a meaning to.
const TOKENS: &[&str] = &[
    "int",
    "char",
    "void",
    "struct",
    "union",
    "enum",
    "typedef",
    "static",
    "inline",
    "extern",
    "const",
    "unsigned",
    "return",
    "if",
    "else",
    "while",
    "for",
    "do",
    "switch",
    "case",
    "default",
    "goto",
    "break",
    "continue",
    "sizeof",
    "typeof",
    "asm",
    "volatile",
    "__attribute__",
    "__init",
    "asmlinkage",
    "EXPORT_SYMBOL",
    "SYSCALL_DEFINE2",
    "module_init",
    "f",
    "g",
    "ops",
    "inode",
    "current",
    "uid",
    "euid",
    "suser",
    "fsuser",
    "capable",
    "ns_capable",
    "CAP_SYS_ADMIN",
    "EPERM",
    "__user",
    "sys_open",
    "0",
    "1",
    "0x10",
    "077",
    "-1",
    "'a'",
    "'",
    "\"",
    "\"text\"",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    ":",
    "?",
    "=",
    "==",
    "!=",
    "|=",
    "&=",
    "->",
    ".",
    "*",
    "&",
    "!",
    "~",
    "+",
    "-",
    "++",
    "--",
    "&&",
    "||",
    "|",
    "<<",
    ">>",
    "<",
    ">",
    "...",
    "#",
    "##",
    "/*",
    "*/",
    "//",
    "\\",
    "\\\n",
    "\n",
    "\n\n",
    " ",
    "\t",
    "\r\n",
    "\u{c}",
    "\u{e9}",
    "\n#if X\n",
    "\n#ifdef CONFIG_A\n",
    "\n#ifndef B\n",
    "\n#if 0\n",
    "\n#elif defined(C)\n",
    "\n#else\n",
    "\n#endif\n",
    "\n#define M(a, b...) ",
    "\n#define N ",
    "\n#undef N\n",
    "\n#include <linux/fs.h>\n",
    "\n#include \"a.h\"\n",
    "\n}\n",
    "\nint f(int a)\n{\n",
    "\nint f(a, b)\nint a;\n{\n",
    "\nstruct ops o = {\n",
    "if (!capable(CAP_SYS_ADMIN))\n",
    "return -EPERM;\n",
    "out:\n",
    "goto out;\n",
    "case 1:\n",
    "\n.globl f\nf:\n\tcall g\n",
    "ENTRY(f)",
];

/// A driver as kernels had them.
const KERNEL_FILE: &str = r#"/* a driver */
#include <linux/fs.h>
#include "driver.h"
#define DRV_ADMIN(x) (capable(CAP_SYS_ADMIN) || (x)->owner == current->uid)
#define DRV_FLAG 0x10 /* octal: 020 */
#ifdef CONFIG_DRV_DEBUG
#define dprintk(fmt, args...) do { if (debug) \
	printk(KERN_DEBUG fmt, ##args); } while (0)
#else
#define dprintk(fmt, args...)
#endif
struct drv { struct file_operations *ops; int (*get)(struct drv *, int); uid_t owner; };
typedef struct drv drv_t;
static int drv_get(struct drv *d, int n) { return d->get ? d->get(d, n) : -EINVAL; }
static int drv_ioctl(struct inode *inode, struct file *file, unsigned int cmd, unsigned long arg)
{
	struct drv *d = file->private_data;
	int err = -EPERM, i;

	if (!DRV_ADMIN(d))
		goto out;
	switch (cmd) {
	case DRV_SET:
	case DRV_RESET:
		if (!suser() && !fsuser())
			return -EPERM;
#if LINUX_VERSION_CODE < 0x20200
		d->get = drv_get;
#else
		if (current->euid != 0) {
			err = -EACCES;
			break;
		}
#endif
	case 'x':
		for (i = 0; i < 3; i++)
			err |= drv_get(d, i << 2);
		break;
	default:
		err = capable(cmd & DRV_FLAG ? CAP_SYS_RAWIO : CAP_NET_ADMIN) ? 0 : -EPERM;
	}
	dprintk("ioctl \"%d\" {\n", err);
out:
	return err;
}
static struct file_operations drv_ops = {
	owner: THIS_MODULE,
	.ioctl = drv_ioctl,
	NULL, /* open */
};
int old(inode, flags)
	struct inode *inode;
	int flags;
{
	return inode->i_op->permission(inode, flags) || permission(inode, flags);
}
asmlinkage long sys_drv(int n, char __user *p) { return drv_table[n](p, current->uid == 0); }
int (*drv_table[])(char *, int) = { [0] = sys_a, [1] = sys_b, };
"#;

const ASSEMBLER: &str = "#include <linux/linkage.h>\n.globl start\nstart:\n\tcall main\n\
    ENTRY(system_call)\n\tpushl %eax\n\tcall *SYMBOL_NAME(sys_call_table)(,%eax,4)\n\tjmp out\n\
    .data\nENTRY(sys_call_table)\n\t.long SYMBOL_NAME(sys_ni)\n\t.rept 3\n\t.long sys_x\n\t.endr\n";

fn cases() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        failure_persistence: None,
        ..if asked {
            ProptestConfig::default()
        } else {
            ProptestConfig::with_cases(FEW)
        }
    }
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((select(TOKENS), any::<bool>()), 0..200).prop_map(|tokens| {
        let spaced =
            |(token, space): (&str, bool)| format!("{token}{}", [" ", ""][usize::from(space)]);
        let text: String = tokens.into_iter().map(spaced).collect();
        text.into_bytes()
    })
}

/// Pieces of a file: cut, left out, twice, in any order.
fn pieces(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let piece = (0..text.len(), 0..300_usize).prop_map(|(start, length)| {
        let end = (start + length).min(text.len());
        text.as_bytes()[start..end].to_vec()
    });
    prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

/// A file with a few changes.
fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..text.len(), 0..8_usize, select(TOKENS));
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, length, token) in changes {
            let start = at.min(bytes.len());
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, token.bytes());
        }
        bytes
    })
}

fn repeated() -> impl Strategy<Value = Vec<u8>> {
    let unit = prop::collection::vec(select(TOKENS), 1..5);
    (unit, 1..400_usize).prop_map(|(unit, count)| unit.concat().repeat(count).into_bytes())
}

fn input() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..400),
        4 => soup(),
        4 => pieces(KERNEL_FILE),
        4 => mutated(KERNEL_FILE),
        1 => pieces(ASSEMBLER),
        1 => mutated(ASSEMBLER),
        1 => repeated(),
    ]
}

/// A thread as the engine's own are: expressions nest as deep as a file has them.
fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        thread.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn facts(source: &[u8]) -> [Blob; 2] {
    let store = Store::new();
    [read(source, &store), read_assembler(source, &store)]
}

#[test]
fn reading_ends_and_is_the_same_twice() {
    with_stack(|| {
        proptest!(cases(), |(source in input())| {
            let once = format!("{:?}", facts(&source));
            prop_assert_eq!(once, format!("{:?}", facts(&source)));
        });
    });
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder that can be read");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    files.retain(|path| path.extension().is_some_and(|end| end == "c" || end == "h"));
    files.extend(folders.iter().flat_map(|folder| files_in(folder)));
    files
}

/// Parts of files with a few changes.
fn mangled(files: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> + '_ {
    let part = (any::<Index>(), any::<Index>(), 0..6_000_usize);
    let change = (any::<Index>(), 0..30_usize, select(TOKENS));
    (part, prop::collection::vec(change, 1..8)).prop_map(|((file, start, length), changes)| {
        let file = &files[file.index(files.len())];
        let start = start.index(file.len() + 1);
        let mut bytes = file[start..(start + length).min(file.len())].to_vec();
        for (at, length, token) in changes {
            let start = at.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, token.bytes());
        }
        bytes
    })
}

#[test]
fn reading_mangled_files_ends() {
    let Some(folder) = std::env::var_os("MANGLED_FILES") else {
        return;
    };
    let paths = files_in(Path::new(&folder));
    let files: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    with_stack(|| {
        let slowest = Mutex::new((Duration::ZERO, 0));
        proptest!(cases(), |(source in mangled(&files))| {
            let began = Instant::now();
            read(&source, &Store::new());
            let mut slowest = slowest.lock().unwrap();
            *slowest = (*slowest).max((began.elapsed(), source.len()));
        });
        let (time, size) = slowest.into_inner().unwrap();
        println!("the slowest takes {time:?}, a file of {size} bytes");
    });
}

#[test]
fn what_nests_or_repeats_ends() {
    let many = [
        "{.a=b,",
        "{",
        "(",
        "[",
        "f(",
        "f({",
        "if(a)",
        "if(a){",
        "else if(a)",
        "a?b:",
        "a?",
        "!",
        "*",
        "&",
        "- ",
        "(int)",
        "x=",
        "a->",
        "a.b",
        "a,",
        "case 1:",
        "switch(a){case 1:",
        "struct a{",
        "\n#if A\n",
        "\n#if A\n#else\n",
        "\n#else\n",
        "\n#define a(\n",
        "\n#if A\n{\n#endif\n",
        "do ",
        "l:",
        "if(a==1)return;f();",
        "goto l;",
        "l:if(a==1)return;goto l;",
        "/*",
        "\"",
        "'",
        "\\\n",
        "__attribute__((",
        "int a;",
        "int f();",
        "f()\n",
        "a b ",
        "int(*",
        "=",
        "a=b;",
        "}",
        "){",
        "extern \"C\"{",
    ];
    with_stack(|| {
        for unit in many {
            for head in ["", "int f(int a)\n{\n", "struct a b = {", "#define m "] {
                let source = [head, &unit.repeat(1_000)].concat();
                facts(source.as_bytes());
            }
        }
    });
}

// Linking. Names end in letters of a run's own, so that they are interned in another order.

const UNITS: &[&str] = &[
    "#include <linux/a.h>\n",
    "#include \"b.c\"\n",
    "#ifdef CONFIG_X\n",
    "#endif\n",
    "#define wrap@(x) capable(x)\n",
    "#define both@(x, y) (wrap@(x) || wrap2@(y))\n",
    "#define wrap2@ suser\n",
    "struct ops@ { int (*go)(int); struct ops@ *next; };\n",
    "typedef struct ops@ ops_t@;\n",
    "struct ops@ table@ = { .go = one@ };\n",
    "static struct ops@ other@ = { two@, &table@ };\n",
    "int one@(int a)\n{\n\tif (!capable(CAP_SYS_ADMIN))\n\t\treturn -EPERM;\n\treturn two@(a);\n}\n",
    "static int two@(int a)\n{\n\tif (a == 2 && !wrap@(a))\n\t\treturn -EPERM;\n\treturn sys_one(3);\n}\n",
    "int two@(int a) { struct ops@ *p = &table@; p->next = &other@; return p->next->go(a); }\n",
    "int three@(struct ops@ *p, int a) { return p->go(a) || both@(1, 2); }\n",
    "int reg@(int (*f)(int)) { table@.go = f; return 0; }\n",
    "asmlinkage int sys_one(int n) { return one@(n) + three@(&table@, n); }\n",
    "asmlinkage int sys_two(void) { reg@(two@); if (current->uid) return -EPERM; return table@.go(1); }\n",
    "SYSCALL_DEFINE1(three, int, a) { return suser() ? three@(&other@, a) : -EPERM; }\n",
    "inline int helper@(void) { return capable(CAP_NET_ADMIN); }\n",
    "int wrap2@(int c) { return ns_capable(&init, c) && helper@(); }\n",
    "{ } }\n",
];

const PATHS: &[&str] = &[
    "kernel/a.c",
    "kernel/b.c",
    "fs/c.c",
    "fs/b.c",
    "include/linux/a.h",
    "include/linux/capability.h",
    "arch/i386/kernel/sys.c",
    "arch/x86_64/kernel/sys.c",
    "arch/alpha/kernel/sys.c",
    "include/asm-i386/a.h",
    "drivers/d/b.c",
    "net/n.h",
];

const TABLE: &str = "0 common one sys_one\n1 i386 two sys_two\n2 64 three sys_three\n";

type Kernel = Vec<(&'static str, Vec<&'static str>)>;

fn kernel() -> impl Strategy<Value = Kernel> {
    let text = prop::collection::vec(select(UNITS), 0..14);
    prop::collection::btree_map(select(PATHS), text, 1..8).prop_map(|all| all.into_iter().collect())
}

/// Links a kernel whose names end in some letters; files are read in the given order.
fn linked(
    kernel: &Kernel,
    order: impl Iterator<Item = usize>,
    letters: &str,
    threads: usize,
) -> String {
    let store = Store::new();
    let mut files: Vec<(String, Arc<Blob>)> = order
        .filter_map(|at| kernel.get(at))
        .map(|(path, units)| {
            let source = units.concat().replace('@', letters);
            (
                (*path).to_owned(),
                Arc::new(read(source.as_bytes(), &store)),
            )
        })
        .collect();
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    let paths = [
        "arch/x86/entry/syscalls/syscall_32.tbl",
        "arch/x86/entry/syscalls/syscall_64.tbl",
    ];
    let texts = texts_wanted(&paths)
        .into_iter()
        .map(|path| (path, TABLE.as_bytes()))
        .collect();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(64 << 20)
        .build()
        .unwrap();
    let rows = pool.install(|| link("2.4.0", &files, &texts, &LeftOut::default()));
    shown(&rows).replace(letters, "@")
}

/// The rows, with each chain's steps.
fn shown(rows: &LinkedRelease) -> String {
    let checks: Vec<_> = rows
        .syscall_checks
        .iter()
        .map(|one| {
            let steps: Vec<_> = rows.chains.steps(one.chain);
            (
                one.abi,
                one.syscall,
                one.check,
                one.depth,
                one.pointer_hops,
                one.conditional,
                one.feasible,
                one.shared_by,
                steps,
            )
        })
        .collect();
    format!(
        "{:?}",
        (
            &rows.check_sites,
            &rows.syscalls,
            checks,
            &rows.wrappers,
            &rows.audit,
            &rows.audit_details
        )
    )
}

#[test]
fn rows_do_not_depend_on_order_or_threads() {
    proptest!(cases(), |(kernel in kernel())| {
        let count = kernel.len();
        let rows = linked(&kernel, 0..count, "QZ", 1);
        prop_assert_eq!(rows, linked(&kernel, (0..count).rev(), "QY", 2));
    });
}
