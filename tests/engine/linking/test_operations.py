"""The operation of a check: the named constants of the user's own that select the way to it."""

from __future__ import annotations

import pytest

from tests.engine.adapters import linked


def operations(kernel: str, syscall: str, release: str = "2.2.24") -> set[str]:
    """The operations by which a syscall comes to checks that constants do not switch off."""
    rows = linked(kernel, release).syscall_checks
    return {row.meaning.operation for row in rows if row.syscall == syscall and row.feasible}


TABLE = """
-- arch/i386/kernel/entry.S
.data
ENTRY(sys_call_table)
    .long SYMBOL_NAME(sys_ask)
"""


def asking(body: str, others: str = "") -> set[str]:
    """The operations of ``sys_ask(cmd, flags, arg)`` with this body."""
    ask = f"int sys_ask(int cmd, int flags, char *arg)\n{{{body}}}"
    return operations(f"{TABLE}-- kernel/ask.c\n{others}\n{ask}\n", "ask")


CHECK = "if (!capable(CAP_A)) return -EPERM;"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (CHECK, {""}),
        (f"switch (cmd) {{ case ASK_ONE: {CHECK} break; case ASK_TWO: work(); }}", {"ASK_ONE"}),
        (f"switch (cmd) {{ case ASK_ONE: case ASK_TWO: {CHECK} }}", {"ASK_ONE", "ASK_TWO"}),
        (f"switch (cmd) {{ case 1: {CHECK} }}", {""}),
        (f"switch (cmd) {{ case ASK_ONE: return 0; default: {CHECK} }}", {""}),
        (f"switch (cmd) {{ case ASK_ONE + 2: {CHECK} }}", {"ASK_ONE+2"}),
        (f"switch (cmd) {{ case 0: case ASK_ONE: {CHECK} }}", {"ASK_ONE"}),
        (f"switch (cmd) {{ case 1: case ASK_ONE: {CHECK} }}", {""}),
        (f"int asked = 0; if (flags & ASK_FLAG) asked = 1; if (asked) {CHECK}", {"ASK_FLAG"}),
        (
            f"bool asked; asked = false; if (flags & ASK_FLAG) asked = true; if (asked) {CHECK}",
            {"ASK_FLAG"},
        ),
        (f"int asked = 1; if (flags & ASK_FLAG) asked = 0; if (asked) {CHECK}", {""}),
        (f"int asked = 0; if (other()) asked = 1; if (asked) {CHECK}", {""}),
        (f"if (cmd == ASK_ONE) {CHECK}", {"ASK_ONE"}),
        (f"if (cmd != ASK_ONE) return -EINVAL; {CHECK}", {"ASK_ONE"}),
        (f"if (cmd != ASK_ONE) {CHECK}", {""}),
        (f"if (cmd == ASK_ONE || cmd == ASK_TWO) {CHECK}", {"ASK_ONE", "ASK_TWO"}),
        (f"if (cmd == ASK_ONE || other()) {CHECK}", {""}),
        (f"if (flags & ASK_FLAG) {CHECK}", {"ASK_FLAG"}),
        (f"if (flags & (ASK_FLAG | ASK_MORE)) {CHECK}", {"ASK_FLAG", "ASK_MORE"}),
        (f"if (!(flags & ASK_FLAG)) {CHECK}", {""}),
        (f"if (unlikely(flags & ASK_FLAG)) {CHECK}", {"ASK_FLAG"}),
        (
            f"if (!(flags & (ASK_FLAG | ASK_MORE))) return 0; if (flags & ASK_MORE) {CHECK}",
            {"ASK_MORE"},
        ),
        (f"if (cmd == ASK_ONE && flags & ASK_FLAG) {CHECK}", {"ASK_ONE/ASK_FLAG"}),
        (f"int low = cmd & 0xff; if (low == ASK_ONE) {CHECK}", {"ASK_ONE"}),
        (f"switch (_IOC_NR(cmd)) {{ case ASK_ONE: {CHECK} }}", {"ASK_ONE"}),
        (f"if (S_ISCHR(flags)) {CHECK}", {"S_IFCHR"}),
        (f"int sub = 0; sub = cmd >> 8; if (sub == ASK_ONE) {CHECK}", {"ASK_ONE"}),
        (f"version = parse(&cmd); if (cmd == ASK_ONE) {CHECK}", {"ASK_ONE"}),
        (f"switch (cmd) {{ case ASK_ONE: break; default: return -EINVAL; }} {CHECK}", {"ASK_ONE"}),
        (f"switch (cmd) {{ case ASK_ONE: break; default: break; }} {CHECK}", {""}),
        (f"switch (cmd) {{ case ASK_ONE: break; }} {CHECK}", {""}),
        # A switch over a part that only says what is allowed.
        (
            f"switch (flags & 7) {{ case ASK_ONE: break; case ASK_TWO: a = 1; break;"
            f" default: return -EINVAL; }} {CHECK}",
            {""},
        ),
        (f"switch (flags & 7) {{ case ASK_ONE: {CHECK} }}", {"ASK_ONE"}),
        # What one label does not lead to.
        (
            f"switch (cmd) {{ case ASK_ONE: case ASK_TWO: if (cmd == ASK_TWO) a(); else {CHECK} }}",
            {"ASK_ONE"},
        ),
        (
            f"switch (cmd) {{ case ASK_ONE: case ASK_TWO: if (cmd == ASK_TWO) return 0; {CHECK} }}",
            {"ASK_ONE"},
        ),
        (
            f"switch (cmd) {{ case ASK_ONE: if (a) return 1; else return 2;"
            f" case ASK_TWO: {CHECK} }}",
            {"ASK_TWO"},
        ),
        # What all calls must give asks for nothing.
        (f"if (cmd != ASK_MAGIC) return -EINVAL; {CHECK}", {""}),
        # What the kernel keeps the user does not give.
        (f"if (state == ASK_ONE) {CHECK}", {""}),
    ],
)
def test_labels(body: str, expected: set[str]) -> None:
    assert asking(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"int x; if (get_user(x, arg)) return -EFAULT; if (x == ASK_ONE) {CHECK}", {"ASK_ONE"}),
        (f"int x = get_fs_long(arg); if (x == ASK_ONE) {CHECK}", {"ASK_ONE"}),
        (f"int x = look(arg); if (x == ASK_ONE) {CHECK}", {""}),
        (
            f"struct ask a; copy_from_user(&a, arg, 8); if (a.what == ASK_ONE) {CHECK}",
            {"ASK_ONE"},
        ),
        ("struct ask a; copy_from_user(&a, arg, 8); return work(&a);", {"ASK_ONE"}),
        ("struct ask *a = memdup_user(arg, 8); return work(a);", {"ASK_ONE"}),
        (
            "struct outer o; copy_from_user(&o, arg, 8); return inner(&o);",
            {"ASK_ONE"},
        ),
        ("struct ask a; a.what = ASK_TWO; return work(&a);", set()),
    ],
)
def test_what_is_copied_from_the_user(body: str, expected: set[str]) -> None:
    work = f"""
#define ASK_ONE 1
#define ASK_TWO 2
struct ask {{ int what; }};
static int work(struct ask *a) {{ if (a->what == ASK_ONE) {CHECK} return 0; }}
static int inner(struct outer *o)
{{
    struct ask *a = (struct ask *) &o->data;
    if (a->what == ASK_ONE) {CHECK}
    return 0;
}}
"""
    assert asking(body, work) == expected


def test_a_variable_that_changes_decides_about_another() -> None:
    inner = (
        "static int inner(struct how *how, int flags)\n{ int set = how->set; bool cut = false;"
        " if (flags) set &= ~ASK_FLAG; else if (other() && set & ASK_FLAG) cut = true;"
        f" use(set); if (cut) {CHECK} return 0; }}"
    )
    kernel = (
        f"{TABLE}-- kernel/ask.c\nstruct how {{ int set; }};\n{inner}\n"
        "int sys_ask(int flags)\n{ struct how how = { .set = flags };"
        " return inner(&how, flags); }\n"
    )
    assert operations(kernel, "ask") == {"ASK_FLAG"}
    # Whether or not it is known when the other one changes.
    always = kernel.replace("if (flags) set &=", "if (other()) set &=")
    assert operations(always, "ask") == {"ASK_FLAG"}
    without = kernel.replace("else if (other() && set & ASK_FLAG)", "else if (other())")
    assert operations(without, "ask") == {""}


def test_a_name_for_many_flags_is_none() -> None:
    test = f"if (!(flags & ASK_FLAGS)) return -EINVAL; {CHECK}"
    assert asking(test, "#define ASK_FLAGS 0xff") == {""}
    assert asking(test, "#define ASK_FLAGS 0x3") == {"ASK_FLAGS"}
    # inotify_add_watch takes any of 22, 6.8.
    names = [f"ASK_WHETHER_IT_CHANGED_{number}" for number in range(12)]
    defined = "".join(f"#define {name} 0x{1 << at:x}\n" for at, name in enumerate(names))
    assert asking(test, f"{defined}#define ASK_FLAGS ({' | '.join(names)})") == {""}


def test_a_flag_that_is_taken_away_before_is_none() -> None:
    """clone, whose CSIGNAL has the bit of CLONE_NEWTIME, 5.6."""
    names = "#define ASK_NEW 0x80\n#define ASK_OLD 0x100"
    work = (
        f"{names}\nstatic int work(int how) {{ if (how & (ASK_NEW | ASK_OLD)) {CHECK} return 0; }}"
    )
    assert asking("return work(flags & ~0xff);", work) == {"ASK_OLD"}
    assert asking("return work(flags & ~0x7f);", work) == {"ASK_NEW", "ASK_OLD"}


MODES = """
#define O_ACCMODE 3
#define MAY_WRITE 2
#define MAY_READ 4
#define MASK(x) ("%s"[(x) & %s])
"""


@pytest.mark.parametrize(
    ("masks", "mode", "asked", "expected"),
    [
        ("4266", "O_ACCMODE", "MASK(flags)", "O_RDONLY"),
        # Where the modes were counted up before, up to 2.6.32.
        ("0426", "O_ACCMODE", "MASK(flags)", "O_RDONLY"),
        # What two modes come to names neither.
        ("4466", "O_ACCMODE", "MASK(flags)", "MAY_READ"),
        ("4266", "3", "MASK(flags)", "MAY_READ"),
        # A list, as that of mq_open.
        ("0000", "3", "modes[flags & O_ACCMODE]", "O_RDONLY"),
        ("0000", "3", "changed[flags & O_ACCMODE]", ""),
    ],
)
def test_a_mode_of_open_is_what_the_user_gives(
    masks: str, mode: str, asked: str, expected: str
) -> None:
    names = MODES % ("".join(f"\\00{mask}" for mask in masks), mode)
    work = f"static int work(int mask)\n{{ mask &= 6; if (mask == MAY_READ) {CHECK} return 0; }}"
    listed = "{ MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE }"
    body = f"static const int modes[O_ACCMODE] = {listed}; int changed[] = {listed};"
    assert asking(f"{body} return work(16 | {asked});", f"{names}{work}") == {expected}


def test_labels_are_carried_down() -> None:
    work = f"static int work(int opt, int val) {{ switch (opt) {{ case ASK_SUB: {CHECK} }} }}"
    body = "switch (cmd) { case ASK_ONE: return work(flags, 1); case ASK_TWO: return 0; }"
    assert asking(body, work) == {"ASK_ONE/ASK_SUB"}


def test_what_a_caller_decides_is_no_operation() -> None:
    work = f"static int work(int how) {{ if (how == HOW_ONE) {CHECK} return 0; }}"
    assert asking("return work(HOW_ONE);", work) == {""}


def test_an_argument_has_one_value() -> None:
    work = f"static int work(int cmd) {{ switch (cmd) {{ case ASK_ONE: {CHECK} }} }}"
    body = "switch (cmd) { case ASK_ONE: case ASK_TWO: return work(cmd); }"
    assert asking(body, work) == {"ASK_ONE"}
    body = "switch (cmd) { case ASK_TWO: return work(cmd); }"
    assert asking(body, work) == set()


def test_a_callee_excludes_what_its_caller_selects() -> None:
    work = f"static int work(int how) {{ if (how == ASK_TWO) return 0; {CHECK} return 1; }}"
    body = "switch (cmd) { case ASK_ONE: case ASK_TWO: return work(cmd); }"
    assert asking(body, work) == {"ASK_ONE"}
    body = "switch (cmd) { case ASK_ONE: case ASK_TWO: return work(flags); }"
    assert asking(body, work) == {"ASK_ONE", "ASK_TWO"}


def test_a_part_of_an_argument_has_one_value() -> None:
    body = f"""
    switch (cmd >> 8) {{
    case ASK_ONE: case ASK_TWO:
        if (cmd >> 8 == ASK_ONE && (cmd & 255) == ASK_USER) {CHECK}
    }}"""
    assert asking(body) == {"ASK_ONE/ASK_USER"}


def test_members_of_a_fresh_struct_are_carried_down() -> None:
    work = f"""
struct ask {{ int flags; }};
static int work(struct ask *a) {{ if (a->flags & ASK_FLAG) {CHECK} return 0; }}
"""
    body = "struct ask a = { .flags = flags & 255 }; return work(&a);"
    assert asking(body, work) == {"ASK_FLAG"}


def test_of_operations_that_begin_alike_the_shorter_is_told() -> None:
    body = "if (flags & ASK_FLAG) work(); work(); return 0;"
    work = f"static int work(void) {{ {CHECK} return 0; }}"
    assert asking(body, work) == {""}


def test_of_too_many_operations_none_is_told() -> None:
    def cases(count: int) -> str:
        return " ".join(f"case ASK_{chr(65 + n // 26)}{chr(65 + n % 26)}:" for n in range(count))

    assert len(asking(f"switch (cmd) {{ {cases(24)} {CHECK} }}")) == 24
    assert asking(f"switch (cmd) {{ {cases(25)} {CHECK} }}") == {""}
    work = f"static int work(void) {{ {CHECK} return 0; }}"
    assert asking(f"switch (cmd) {{ {cases(25)} return work(); }}", work) == {""}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("HOW_ONE", "HOW_TWO", {"ASK_TWO"}),
        ("HOW_TWO", "HOW_TWO", {"ASK_ONE", "ASK_TWO"}),
        ("HOW_TWO", "flags", {"ASK_ONE", "ASK_TWO/HOW_TWO"}),
        ("HOW_ONE", "HOW_ONE", set()),
    ],
)
def test_what_is_asked_for_decides_what_is_handed_on(
    first: str, second: str, expected: set[str]
) -> None:
    """prctl_set_seccomp, which hands on another constant for each, 6.12."""
    work = f"""
#define ASK_ONE 1
#define ASK_TWO 2
#define HOW_ONE 0
#define HOW_TWO 1
static int work(int how)
{{ switch (how) {{ case HOW_ONE: return 0; case HOW_TWO: {CHECK} }} return 0; }}
"""
    body = f"""
    int how;
    switch (cmd) {{
    case ASK_ONE: how = {first}; break;
    case ASK_TWO: how = {second}; break;
    default: return -EINVAL;
    }}
    return work(how);"""
    assert asking(body, work) == expected


def test_of_ways_as_short_that_is_told_by_which_the_label_is_given_first() -> None:
    """fcntl, whose default hands on what is no F_SETOWN, 2.4.31."""
    kernel = f"""{TABLE}
-- kernel/ask.c
#define ASK_OWN 8
static int work(int how) {{ switch (how) {{ case ASK_OWN: {CHECK} }} return 0; }}
int sys_ask(int cmd)
{{
    switch (cmd) {{
    default:
        return work(cmd);
    case ASK_OWN:
        return work(ASK_OWN);
    }}
}}
"""
    (row,) = linked(kernel).syscall_checks
    source = kernel.split("kernel/ask.c\n")[1].splitlines()
    assert row.meaning.operation == "ASK_OWN"
    assert source[row.chain[0].line - 1].strip() == "return work(ASK_OWN);"


def test_each_operation_has_its_own_chain() -> None:
    kernel = f"""{TABLE}
-- kernel/ask.c
static int one(void) {{ {CHECK} return 0; }}
static int two(void) {{ return one(); }}
int sys_ask(int cmd)
{{
    switch (cmd) {{
    case ASK_ONE:
        return one();
    case ASK_TWO:
        return two();
    }}
    return 0;
}}
"""
    rows = linked(kernel).syscall_checks
    chains = {row.meaning.operation: [step.function for step in row.chain] for row in rows}
    assert chains == {"ASK_ONE": ["sys_ask", "one"], "ASK_TWO": ["sys_ask", "two", "one"]}
    assert {row.shared_by for row in rows} == {1}


NAMES = """
#define ASK_NAME "ask.one"
#define ASK_OTHER "ask.two"
#define ASK_PREFIX "ask."
static inline bool is_ask_name(const char *name)
{
    return (strcmp(name, ASK_NAME) == 0) ||
           (strcmp(name, ASK_OTHER) == 0);
}
static inline bool is_listed_name(const char *name) { list(name); return name; }
"""


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("!strcmp(name, ASK_NAME)", {"ASK_NAME"}),
        ("strcmp(name, ASK_NAME) == 0 || !strcmp(name, ASK_OTHER)", {"ASK_NAME", "ASK_OTHER"}),
        ("!strncmp(name, ASK_PREFIX, sizeof(ASK_PREFIX) - 1)", {"ASK_PREFIX"}),
        ("is_ask_name(name)", {"ASK_NAME", "ASK_OTHER"}),
        ("strcmp(name, ASK_NAME)", {""}),
        ("!is_ask_name(name)", {""}),
        ("is_listed_name(name)", {""}),
        ('!strcmp(name, "ask.one")', {""}),
        ("!strcmp(state, ASK_NAME)", {""}),
    ],
)
def test_a_name_that_the_user_gives_is_compared(condition: str, expected: set[str]) -> None:
    body = f"char name[8]; strncpy_from_user(name, arg, 8); if ({condition}) {CHECK}"
    assert asking(body, NAMES) == expected


@pytest.mark.parametrize(("name", "expected"), [("ASK_NAME", {""}), ("ASK_OTHER", set())])
def test_a_name_that_the_kernel_gives_is_no_operation(name: str, expected: set[str]) -> None:
    work = f"{NAMES}\nint work(char *name) {{ if (!strcmp(name, ASK_NAME)) {CHECK} return 0; }}"
    assert asking(f"return work({name});", work) == expected


@pytest.mark.parametrize(("kind", "expected"), [("cmsghdr", {"SOL_ASK/ASK_ONE"}), ("state", {""})])
def test_a_control_message_is_the_users(kind: str, expected: set[str]) -> None:
    body = f"""
    struct {kind} *one;
    for (one = first(arg); one; one = next(one)) {{
        if (one->level != SOL_ASK)
            continue;
        switch (one->type) {{
        case ASK_ONE:
            {CHECK}
        }}
    }}
"""
    assert asking(body) == expected


@pytest.mark.parametrize(("kind", "expected"), [("xattr_ctx", {"ASK_NAME"}), ("state", {""})])
def test_the_name_of_an_attribute_is_the_users(kind: str, expected: set[str]) -> None:
    work = f"""{NAMES}
static int named(const char *name) {{ if (!strcmp(name, ASK_NAME)) {CHECK} return 0; }}
static int work(struct {kind} *ctx) {{ return named(ctx->kname->name); }}
"""
    assert asking("return work(make(arg));", work) == expected


@pytest.mark.parametrize(("member", "expected"), [("set", "XATTR_ONE"), ("list", "")])
def test_who_lists_attributes_gives_no_name(member: str, expected: str) -> None:
    others = f"""
struct xattr_handler {{ char *prefix; int (*list)(int); int (*set)(int); }};
static int work(int x) {{ {CHECK} return 0; }}
static struct xattr_handler one = {{ .prefix = XATTR_ONE, .{member} = work }};
"""
    assert asking(f"struct xattr_handler *h = &one; return h->{member}(1);", others) == {expected}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("char name[8]; strncpy_from_user(name, arg, 8); return attribute(name);", {"XATTR_ONE"}),
        ('return attribute("one.more");', {""}),
        ('return attribute("two.more");', set()),
    ],
)
def test_a_handler_is_called_for_its_own_names(body: str, expected: set[str]) -> None:
    others = f"""
#define XATTR_ONE "one."
struct xattr_handler {{ char *prefix; int (*set)(int); }};
static int work(int x) {{ {CHECK} return 0; }}
static struct xattr_handler one = {{ .prefix = XATTR_ONE, .set = work }};
static int attribute(const char *name)
{{
    struct xattr_handler *h = &one;
    if (!strcmp(name, "none"))
        return 0;
    return h->set(1);
}}
"""
    assert asking(body, others) == expected


@pytest.mark.parametrize(
    ("called", "expected"), [("sk->prot->setsockopt(1)", "PF_INET"), ("udp.setsockopt(1)", "")]
)
def test_the_family_of_a_named_protocol_is_not_asked_for(called: str, expected: str) -> None:
    others = f"""
struct proto {{ int (*setsockopt)(int); }};
struct proto_ops {{ int family; int (*bind)(int); }};
struct inet_protosw {{ int type; struct proto *prot; struct proto_ops *ops; }};
struct sock {{ struct proto *prot; }};
static int work(int x) {{ {CHECK} return 0; }}
static struct proto udp = {{ .setsockopt = work }};
static int other(int x) {{ return x; }}
static struct proto_ops ops = {{ .family = PF_INET, .bind = other }};
static struct inet_protosw all[] = {{
    {{ .type = SOCK_DGRAM, .prot = &udp, .ops = &ops }},
}};
"""
    assert asking(f"struct sock *sk = find(); return {called};", others) == {expected}


FILES = f"""
struct file_operations {{ int (*read)(int); }};
struct inode {{ int i_ino; struct file_operations *i_fop; }};
struct proc_dir_entry {{ int low_ino; int length; char *name; struct file_operations *ops; }};
static int get_stat(int pid) {{ {CHECK} return 0; }}
static int get_array(int pid, int type)
{{
    switch (type) {{
    case PROC_PID_STATM:
        return 0;
    LABELS
        return get_stat(pid);
    }}
    return -EBADF;
}}
static int array_read(struct inode *inode) {{ return get_array(1, inode->i_ino); }}
static int look(int pid) {{ return pid; }}
static struct file_operations ops = {{ .read = look }};
static struct proc_dir_entry stat = {{ PROC_PID_STAT, 4, "stat", &ops }};
static struct proc_dir_entry cpu = {{ PROC_PID_CPU, 3, "cpu", &ops }};
"""


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("case PROC_PID_STAT:", {"/proc/PID/stat"}),
        ("case PROC_PID_CPU: case PROC_PID_STAT:", {"/proc/PID/cpu", "/proc/PID/stat"}),
        ("case PROC_PID_STAT: case PROC_PID_OTHER:", {""}),
        ("case PROC_PID_STAT: default:", {""}),
    ],
)
def test_the_number_of_a_file_selects_it(labels: str, expected: set[str]) -> None:
    """One function reads most files of /proc, 2.0 and 2.2."""
    body = "struct inode *inode = find(flags); return array_read(inode);"
    assert asking(body, FILES.replace("LABELS", labels)) == expected
