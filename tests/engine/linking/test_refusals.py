"""What comes of a missing privilege: effect, errno, alternatives, subject and namespace."""

from __future__ import annotations

import pytest

from caphistory.records import Meaning
from tests.engine.adapters import linked

NAMESPACES = (
    "-- kernel/capability.c\n"
    "bool ns_capable(struct user_namespace *ns, int cap)\n"
    "{ return security_capable(current_cred(), ns, cap) == 0; }\n"
    "bool capable(int cap) { return ns_capable(&init_user_ns, cap); }\n"
    "bool file_ns_capable(const struct file *file, struct user_namespace *ns, int cap)\n"
    "{ return security_capable(file->f_cred, ns, cap) == 0; }\n"
    "bool has_ns_capability(struct task_struct *t, struct user_namespace *ns, int cap)\n"
    "{ return security_capable(__task_cred(t), ns, cap) == 0; }\n"
    "bool has_capability(struct task_struct *t, int cap)\n"
    "{ return has_ns_capability(t, &init_user_ns, cap); }\n"
    "-- security/security.c\n"
    "int security_capable(const struct cred *cred, struct user_namespace *ns, int cap)\n"
    "{ return 0; }\n"
)


def meanings(code: str, syscall: str = "one", before: str = "") -> list[Meaning]:
    """What the rows of a syscall mean, in no particular order; ``code`` is kernel/one.c."""
    rows = linked(f"{before}-- kernel/one.c\n{code}").syscall_checks
    return [row.meaning for row in rows if row.syscall == syscall]


def refusal(code: str) -> tuple[str, str | None]:
    """Effect and errno of the only check of ``sys_one``."""
    (meaning,) = meanings(code)
    return meaning.effect, meaning.errno


def instead(code: str, before: str = "") -> dict[str, tuple[str, ...]]:
    """The alternatives of each check of ``sys_one``, by capability or check."""
    rows = linked(f"{before}-- kernel/one.c\n{code}").syscall_checks
    found = [row for row in rows if row.syscall == "one"]
    return {row.check.capability or row.check.check_name: row.meaning.instead for row in found}


def place(call: str, parameters: str = "int a") -> tuple[str, str | None]:
    """Subject and namespace of a check in ``sys_one`` of a kernel with user namespaces."""
    code = f"int sys_one({parameters}) {{ if (!{call}) return -EPERM; return 0; }}\n"
    (meaning,) = meanings(code, before=NAMESPACES)
    return meaning.subject, meaning.namespace


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("int sys_one(void) { if (!suser()) return -EPERM; return 0; }", ("deny", "EPERM")),
        ("int sys_one(void) { if (suser()) a(); return 0; }", ("limit", None)),
        ("int sys_one(void) { return suser() ? 0 : -1; }", ("deny", "EPERM")),
        # A helper that gives 0 or 1, and its caller.
        (
            "int may(void) { if (capable(CAP_A)) return 1; return 0; }\n"
            "int sys_one(void) { if (!may()) return -EPERM; return 0; }",
            ("deny", "EPERM"),
        ),
        (
            "int not(void) { return !capable(CAP_A) || a; }\n"
            "int sys_one(void) { if (not()) return -EACCES; return 0; }",
            ("deny", "EACCES"),
        ),
        (
            "int may(void) { if (capable(CAP_A)) return 1; return 0; }\n"
            "int sys_one(void) { if (may()) a(); return 0; }",
            ("limit", None),
        ),
        # One error is turned into another, or lost.
        (
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int sys_one(void) { int e = ask(); if (e) return -EINVAL; return 0; }",
            ("deny", "EINVAL"),
        ),
        (
            "int ask(void)\n"
            "{ int e = -EPERM; if (!capable(CAP_A)) goto out; e = 0; out: return e; }\n"
            "long all(void) { long e; e = ask(); if (e < 0) goto bad; return 0; bad: return e; }\n"
            "int sys_one(void) { return all(); }",
            ("deny", "EPERM"),
        ),
        (
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int sys_one(void) { ask(); return 0; }",
            ("limit", None),
        ),
        # What is exhausted is a limit that the privilege lifts.
        (
            "int sys_one(int n) { if (n > most && !capable(CAP_A)) return -ENOMEM; return 0; }",
            ("limit", "ENOMEM"),
        ),
        (
            "int sys_one(int n)\n"
            "{ int e = -ENOMEM; if (n <= most || capable(CAP_A)) e = lock(n); return e; }",
            ("limit", "ENOMEM"),
        ),
        (
            "int may(void) { if (most) return 1; if (capable(CAP_A)) return 1; return 0; }\n"
            "int sys_one(int n) { if (!may()) return -EPERM; return 0; }",
            ("deny", "EPERM"),
        ),
        (
            "int *find(void)\n"
            "{ int *slot = NULL; if (tasks < most || !current->uid) slot = take(); return slot; }\n"
            "int sys_one(void) { int *slot = find(); if (!slot) return -EAGAIN; return 0; }",
            ("limit", "EAGAIN"),
        ),
        # A limit by what is compared, whatever the error: msgctl and mlock.
        (
            "int sys_one(int n) { if (n > most && !capable(CAP_A)) return -EPERM; return 0; }",
            ("limit", "EPERM"),
        ),
        (
            "int sys_one(int n) { if (n <= p->most || capable(CAP_A)) return 0; return -EPERM; }",
            ("limit", "EPERM"),
        ),
        (
            "int may(void)\n{ if (rlimit(RLIMIT_A) != 0) return 1; if (capable(CAP_A)) return 1;\n"
            "return 0; }\n"
            "int sys_one(int n) { if (!may()) return -EPERM; return 0; }",
            ("limit", "EPERM"),
        ),
        # A level, a range, what is there already, and a comparison around it are none.
        (
            "int sys_one(int n) { if (n > 1 && !capable(CAP_A)) return -EPERM; return 0; }",
            ("deny", "EPERM"),
        ),
        (
            "int sys_one(int n) { if (n < LEAST && !capable(CAP_A)) return -EPERM; return 0; }",
            ("deny", "EPERM"),
        ),
        (
            "int sys_one(int n)\n"
            "{ if (n < least) return 0; if (capable(CAP_A)) return 0; return -EPERM; }",
            ("deny", "EPERM"),
        ),
        (
            "int sys_one(struct a *a)\n"
            "{ if (a->nice > p->nice && !capable(CAP_A)) return -EPERM; return 0; }",
            ("deny", "EPERM"),
        ),
        (
            "int sys_one(int n)\n"
            "{ if (n > old) { if (!capable(CAP_A)) return -EPERM; } return 0; }",
            ("deny", "EPERM"),
        ),
        # The error that it began with says whether it is a limit.
        (
            "int ask(void) { if (!capable(CAP_A)) return -EACCES; return 0; }\n"
            "int sys_one(void) { if (ask()) return -EAGAIN; return 0; }",
            ("deny", "EAGAIN"),
        ),
        # Without the privilege another function has the last word.
        (
            "int ask(int a) { int e = 0; if (a == 3) e = -EACCES; return e; }\n"
            "int sys_one(int a) { int e; if (capable(CAP_A)) return 0; e = ask(a); return e; }",
            ("deny", "EACCES"),
        ),
        (
            "int count(int a) { if (a > most) return -EDQUOT; return 0; }\n"
            "int sys_one(int a) { if (capable(CAP_A)) return 0; return count(a); }",
            ("limit", "EDQUOT"),
        ),
        (
            "int work(int a) { if (a == -EPERM) return -EFAULT; return a; }\n"
            "int sys_one(int a) { if (capable(CAP_A)) return 0; return work(a); }",
            ("limit", None),
        ),
        (
            "#define refuse(a, f) (log(a, f), -EINVAL)\n"
            'int sys_one(int a) { if (!capable(CAP_A)) return refuse(a, "no"); return 0; }',
            ("deny", "EINVAL"),
        ),
        # An error comes out of a macro that is handed the call, and not of a function.
        (
            "#define each(a, ask) ({ int e = 0; if (a) e = ask; e; })\n"
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int sys_one(int a) { return each(a, ask()); }",
            ("deny", "EPERM"),
        ),
        (
            "int each(int a, int e) { return a; }\n"
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int sys_one(int a) { return each(a, ask()); }",
            ("limit", None),
        ),
        (
            "#define each(a, ask) ({ int e = 0; if (a) e = ask; e; })\n"
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int sys_one(int a) { int e; e = each(a, ask()); return e; }",
            ("deny", "EPERM"),
        ),
        # The error that there is already stays, be it the one that the function gives.
        (
            "int sys_one(int a)\n"
            "{ int rc = ask(a); if (rc >= 0) { if (a) goto out; rc = -EACCES; }\n"
            "if (rc != 0 && capable(CAP_A)) rc = 0; out: return rc; }",
            ("deny", "EACCES"),
        ),
        (
            "int sys_one(int a) { int n = ask(a); if (n != 0 && capable(CAP_A)) n = 0; return n; }",
            ("limit", None),
        ),
        # What takes a refusal down gives back the error that it is handed last.
        (
            "int sys_one(int a)\n"
            "{ int e; if (capable(CAP_A)) e = 0; else e = -EACCES;\n"
            "if (a) log(a); return note(a, e); }",
            ("limit", None),
        ),
        (
            "int sys_one(int a)\n"
            "{ int error; if (capable(CAP_A)) error = 0; else error = -EACCES;\n"
            "if (a) log(a); return note(a, error); }",
            ("deny", "EACCES"),
        ),
        # What is handed the error gives it back in the same variable.
        (
            "int ask(void) { if (!capable(CAP_A)) return -EACCES; return 0; }\n"
            "int sys_one(int a) { int rc = ask(); rc = note(a, rc); return rc; }",
            ("deny", "EACCES"),
        ),
        (
            "int ask(void) { if (!capable(CAP_A)) return -EACCES; return 0; }\n"
            "int sys_one(int a) { int rc = ask(); rc = work(a, a); return rc; }",
            ("limit", None),
        ),
        # What is returned in any case says nothing of the privilege.
        (
            "int dump(void) { if (!capable(CAP_A)) return 0; return 1; }\n"
            "int work(int a) { if (dump()) a |= 128; leave(a); return 1; }\n"
            "int sys_one(int a) { if (work(a)) return -EINTR; return 0; }",
            ("limit", None),
        ),
        (
            "int dump(void) { if (!capable(CAP_A)) return 0; return 1; }\n"
            "int work(int a) { if (dump()) return 0; leave(a); return 1; }\n"
            "int sys_one(int a) { if (work(a)) return -EINTR; return 0; }",
            ("deny", "EINTR"),
        ),
        # Refused where more is wanted than a restricted one may have.
        (
            "int set(int a)\n"
            "{ if (!capable(CAP_A)) { if (a > 1) return -EPERM; own = 1; } return work(own); }\n"
            "int sys_one(int a) { int e = set(a); if (e) return e; return 0; }",
            ("limit", "EPERM"),
        ),
        # An error that is taken over where there is none yet.
        (
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int sys_one(int a)\n"
            "{ int error = 0, rc; rc = ask(); if (!error) error = rc; return error; }",
            ("deny", "EPERM"),
        ),
        (
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int sys_one(int a)\n"
            "{ int error = 0, rc; rc = ask(); if (!a) error = a; return error; }",
            ("limit", None),
        ),
        # Without the privilege NULL is returned, and with it what was found, if anything.
        (
            "int *take(int n)\n"
            "{ int *p; if (n < most || capable(CAP_A)) { p = find(); if (p) { n++; return p; } }\n"
            "return NULL; }\n"
            "int sys_one(int n) { int *p = take(n); if (!p) return -ENFILE; return 0; }",
            ("limit", "ENFILE"),
        ),
        (
            "int *take(int n)\n"
            "{ int *p; if (n < most || capable(CAP_A)) { p = find(); if (p) { n++; return p; } }\n"
            "return other; }\n"
            "int sys_one(int n) { int *p = take(n); if (!p) return -ENFILE; return 0; }",
            ("limit", None),
        ),
        # One error in the place of another.
        (
            "int ask(void) { if (!capable(CAP_A)) return -EACCES; return 0; }\n"
            "int sys_one(void)\n"
            "{ int rc = ask(); if (rc == -EACCES) rc = -EPERM; return rc; }",
            ("deny", "EPERM"),
        ),
        (
            "int ask(void) { if (!capable(CAP_A)) return -EINVAL; return 0; }\n"
            "int sys_one(void)\n"
            "{ int rc = ask(); if (rc == -EACCES) rc = -EPERM; return rc; }",
            ("deny", "EINVAL"),
        ),
        # A case that denies.
        (
            "int sys_one(int sig)\n"
            "{ if (!same && !capable(CAP_A)) {\n"
            "switch (sig) { case 18: if (a) break; default: return -EPERM; } }\n"
            "return send(sig); }",
            ("deny", "EPERM"),
        ),
        (
            "int sys_one(int sig)\n"
            "{ if (!same && !capable(CAP_A)) {\n"
            "switch (sig) { case 18: a(); break; default: b(); } }\n"
            "return send(sig); }",
            ("limit", None),
        ),
        # Without the privilege it depends, and what it depends on may refuse.
        (
            "int may(void) { if (capable(CAP_A)) return true; return everybody; }\n"
            "int sys_one(void) { if (!may()) return -EPERM; return 0; }",
            ("deny", "EPERM"),
        ),
        (
            "int shut(void) { if (capable(CAP_A)) return false; return shut_to_all; }\n"
            "int sys_one(void) { if (shut()) return -EPERM; return 0; }",
            ("deny", "EPERM"),
        ),
        (
            "int much(void) { if (capable(CAP_A)) return large; return small; }\n"
            "int sys_one(void) { if (!much()) return -EPERM; return 0; }",
            ("limit", None),
        ),
        # Less is copied than was asked for.
        (
            "int copy(void) { if (!capable(CAP_A)) return 0; return 8; }\n"
            "int sys_one(void) { int n = copy(); return n == sizeof(long) ? 0 : -EIO; }",
            ("deny", "EIO"),
        ),
        # A block that could not be had, with the reason left behind.
        (
            "int take(int *err) { *err = -ENOSPC; if (!capable(CAP_A)) return 0; return 7; }\n"
            "int sys_one(void) { int err; int b = take(&err); if (!b) return err; return 0; }",
            ("limit", "ENOSPC"),
        ),
        (
            "int ask(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int *make(int *err)\n"
            "{ int e; e = -ENOMEM; e = ask(); if (e) goto out; return p;\n"
            "out: *err = e; return NULL; }\n"
            "int sys_one(void)\n"
            "{ int err; int *m = make(&err); if (!m) return err; err = -ENOMEM; return a(m); }",
            ("deny", "EPERM"),
        ),
        # netlink
        (
            "int take(void *skb) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
            "int all(void *skb) { int e = take(skb); if (e) netlink_ack(skb, 0, e); return 0; }\n"
            "int sys_one(void *skb) { all(skb); return 7; }",
            ("deny", "EPERM"),
        ),
        # Macros.
        ("#define may() (!suser())\nint sys_one(void) { if (may()) return -EPERM; return 0; }",
         ("deny", "EPERM")),
        ("#define DEMAND() if (!suser()) return -EPERM\nint sys_one(void) { DEMAND(); return 0; }",
         ("deny", "EPERM")),
    ],
)  # fmt: skip
def test_effect(code: str, expected: tuple[str, str | None]) -> None:
    assert refusal(f"{code}\n") == expected


def refusals(gate: str) -> set[tuple[str, str | None]]:
    """Effect and errno of the checks of ``sys_one``, which does this before it asks in a helper."""
    code = (
        "int ask(int a) { if (!capable(CAP_A)) return -EACCES; return 0; }\n"
        f"int sys_one(int a) {{ {gate} return ask(a); }}\n"
    )
    return {(one.effect, one.errno) for one in meanings(code)}


@pytest.mark.parametrize(
    "gate",
    [
        "if (!capable(CAP_A)) return -EPERM;",
        "if (a) return -EINVAL; if (!capable(CAP_A)) return -EPERM;",
        "if (capable(CAP_A)) { a = ask(a); return a; } return -EPERM;",
    ],
)
def test_an_earlier_check_of_the_same_privilege_refuses_first(gate: str) -> None:
    assert refusals(gate) == {("deny", "EPERM")}


@pytest.mark.parametrize(
    "gate",
    [
        "if (a && !capable(CAP_A)) return -EPERM;",
        "if (a) { if (!capable(CAP_A)) return -EPERM; }",
        "if (!capable(CAP_A) && !capable(CAP_B)) return -EPERM;",
        "if (!capable(CAP_A) && a) return -EPERM;",
        "if (!capable(CAP_A)) { if (a) return -EPERM; b(); }",
        "if (!capable(CAP_B)) return -EPERM;",
    ],
)
def test_one_that_is_not_asked_on_every_way_does_not(gate: str) -> None:
    assert refusals(gate) == {("deny", "EPERM"), ("deny", "EACCES")}


@pytest.mark.parametrize(
    ("asking", "first", "expected"),
    [
        ("if (!strncmp(name, TRUSTED, 8)) { if (!capable(CAP_A)) return -ENODATA; return 0; }", "",
         {("deny", "ENODATA")}),
        ("if (!strncmp(name, USER, 5)) return 0;\n"
         "if (!strncmp(name, TRUSTED, 8) && !capable(CAP_A)) return -ENODATA;", "",
         {("deny", "ENODATA")}),
        # Not on all ways of the operation, or not on that of this one.
        ("if (!strncmp(name, TRUSTED, 8)) { if (own()) { if (!capable(CAP_A)) return -ENODATA; } }",
         "", {("deny", "ENODATA"), ("deny", "EPERM")}),
        ("if (!strncmp(name, OTHER, 6)) { if (!capable(CAP_A)) return -ENODATA; return 0; }", "",
         {("deny", "ENODATA"), ("deny", "EPERM")}),
        ("if (!strncmp(name, TRUSTED, 8)) { if (!capable(CAP_A)) return -ENODATA; return 0; }",
         "if (own())", {("deny", "ENODATA"), ("deny", "EPERM")}),
    ],
)  # fmt: skip
def test_an_earlier_check_of_what_the_operation_names(
    asking: str, first: str, expected: set[tuple[str, str | None]]
) -> None:
    """Trusted names, refused by xattr_permission before the handler of a file system (2.6.16)."""
    code = (
        f"int permits(const char *name) {{ {asking}\nreturn 0; }}\n"
        "int take(void) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
        "long sys_one(const char *name)\n"
        f"{{ int error = 0; {first} error = permits(name); if (error) return error;\n"
        "if (!strncmp(name, TRUSTED, 8)) return take(); return 0; }\n"
    )
    assert {(one.effect, one.errno) for one in meanings(code)} == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("(a == FIRST || a == SECOND) && ", {("deny", "EPERM")}),
        ("(a == FIRST || a == SECOND) && own() && ", {("deny", "EPERM"), ("limit", None)}),
        ("a == THIRD && ", {("deny", "EPERM"), ("limit", None)}),
    ],
)
def test_an_earlier_check_behind_what_the_operation_names(
    condition: str, expected: set[tuple[str, str | None]]
) -> None:
    """mknod, where a file system asks again (intermezzo in 2.4)."""
    code = (
        "int make(int a) { if (capable(CAP_A)) more(); return 0; }\n"
        f"int sys_one(int a) {{ int e = -EPERM; if ({condition}!capable(CAP_A)) goto out;\n"
        "e = 0; if (a == FIRST) e = make(a); out: return e; }\n"
    )
    assert {(one.effect, one.errno) for one in meanings(code)} == expected


def test_an_error_that_one_way_loses() -> None:
    send = "int send(int p) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
    all_of_them = (
        "int sys_one(int pid)\n{ int e, found = 0;\n"
        "if (pid < 0) { for (;;) { e = send(pid); if (e != -EPERM) found = e; } return found; }\n"
    )
    (row,) = linked(
        f"-- kernel/one.c\n{send}int send_one(int p) {{ return send(p); }}\n"
        f"{all_of_them}return send_one(pid); }}\n"
    ).syscall_checks
    assert (row.meaning.effect, row.meaning.errno, row.depth) == ("deny", "EPERM", 2)
    assert [step.function for step in row.chain] == ["sys_one", "send_one", "send"]
    assert refusal(f"{send}{all_of_them}return 0; }}\n") == ("limit", None)


@pytest.mark.parametrize(
    ("asked", "expected", "by"),
    [
        ("return read();", ("deny", "EACCES"), "sys_one read permission"),
        ("return write();", ("limit", None), "sys_one note permission"),
        ("if (x) return write(); return read();", ("deny", "EACCES"), "sys_one read permission"),
    ],
)
def test_no_constant_switches_off_the_way_whose_error_is_told(
    asked: str, expected: tuple[str, str | None], by: str
) -> None:
    """truncate asks for MAY_WRITE only, 6.8."""
    text = f"""
-- fs/open.c
#define MAY_WRITE 2
#define MAY_READ 4
static int permission(int mask)
{{
    return mask == MAY_READ && !capable(CAP_A) ? -EACCES : 0;
}}
static void note(void) {{ permission(MAY_READ); }}
static int write(void) {{ return permission(MAY_WRITE); }}
static int read(void) {{ return permission(MAY_READ); }}
int sys_one(int x) {{ note(); {asked} }}
"""
    (row,) = linked(text).syscall_checks
    assert (row.meaning.effect, row.meaning.errno) == expected
    assert " ".join(step.function for step in row.chain) == by


def test_the_error_of_a_security_module() -> None:
    code = (
        "int sys_one(void)\n"
        "{ int e = security_capable(current_cred(), ns, CAP_A); if (e) return e; return 0; }\n"
    )
    (meaning,) = meanings(code, before=NAMESPACES)
    assert (meaning.effect, meaning.errno) == ("deny", "EPERM")


@pytest.mark.parametrize(
    "code",
    [
        "int sys_one(void) { if (!capable(CAP_A) && !capable(CAP_B)) return -EPERM; return 0; }",
        "int sys_one(void) { if (!(capable(CAP_A) || capable(CAP_B))) return -EPERM; return 0; }",
        "int sys_one(void)\n{\nif (capable(CAP_A))\nreturn 0;\nif (capable(CAP_B))\nreturn 0;\n"
        "return -EPERM;\n}",
        "int sys_one(void)\n{\nif (!capable(CAP_A)) {\nif (!capable(CAP_B))\nreturn -EPERM;\n}\n"
        "return 0;\n}",
        "int sys_one(void)\n{ if (capable(CAP_A) || capable(CAP_B)) return do_it();\n"
        "return -EPERM; }",
        "int may(void) { return capable(CAP_A) || capable(CAP_B); }\n"
        "int sys_one(void) { if (!may()) return -EPERM; return 0; }",
        "int may(void)\n{\nif (capable(CAP_A))\nreturn 1;\nif (capable(CAP_B))\nreturn 1;\n"
        "return 0;\n}\n"
        "int sys_one(void) { if (!may()) return -EPERM; return 0; }",
        "#define may() (capable(CAP_A) || capable(CAP_B))\n"
        "int sys_one(void) { if (!may()) return -EPERM; return 0; }",
    ],
)
def test_two_that_do_instead_of_one_another(code: str) -> None:
    assert instead(f"{code}\n") == {"CAP_A": ("CAP_B",), "CAP_B": ("CAP_A",)}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("!(mask & MAY_EXEC)", ("CAP_B",)),
        ("!(mask & MAY_EXEC) || x", ("CAP_B",)),
        ("mask == MAY_READ", ("CAP_B",)),
        ("mask & MAY_READ", ("CAP_B",)),
        ("mask & MAY_EXEC", ()),
        ("!(mask & MAY_EXEC) && x", ()),
        ("x", ()),
    ],
)
def test_one_that_is_asked_next_under_a_condition(condition: str, expected: tuple[str]) -> None:
    """The two overrides of generic_permission from 3.16 on."""
    code = f"""
int sys_one(int mask)
{{
    if (mask == MAY_READ)
        if (capable(CAP_A))
            return 0;
    if ({condition})
        if (capable(CAP_B))
            return 0;
    return -EACCES;
}}
"""
    assert instead(code)["CAP_A"] == expected


@pytest.mark.parametrize(
    ("before", "condition", "expected"),
    [
        ("if (dir && capable(CAP_B)) return 0;", "dir && capable(CAP_A)", ("CAP_B",)),
        ("if (dir) if (capable(CAP_B)) return 0;", "capable(CAP_A) && dir", ("CAP_B",)),
        ("next: if (dir && capable(CAP_B)) return 0;", "dir && capable(CAP_A)", ("CAP_B",)),
        (
            "if (!(mask & MAY_EXEC) || dir) if (capable(CAP_B)) return 0;",
            "(mask == MAY_READ || dir) && capable(CAP_A)",
            ("CAP_B",),
        ),
        (
            "if (!(mask & MAY_EXEC) || dir) if (capable(CAP_B)) return 0;",
            "(mask == MAY_READ || link) && capable(CAP_A)",
            (),
        ),
        ("if (dir && capable(CAP_B)) return 0;", "link && capable(CAP_A)", ()),
        ("if (dir && capable(CAP_B)) return 0;", "capable(CAP_A)", ()),
        ("if (dir && capable(CAP_B)) return 0;", "!dir && capable(CAP_A)", ()),
    ],
)
def test_one_that_was_asked_under_what_holds_for_another(
    before: str, condition: str, expected: tuple[str]
) -> None:
    """exec_permission_lite and vfs_permission of 2.6."""
    code = (
        "int sys_one(int mask, int dir, int link)\n"
        f"{{ {before} if ({condition}) return 0; return -EACCES; }}\n"
    )
    assert instead(code)["CAP_A"] == expected


@pytest.mark.parametrize(
    ("sign", "user", "expected"),
    [
        ("!=", "&root_user", ("uid0",)),
        ("!=", "INIT_USER", ("uid0",)),
        ("==", "&root_user", ()),
        ("!=", "&other_user", ()),
    ],
)
def test_root_needs_no_privilege(sign: str, user: str, expected: tuple[str]) -> None:
    """The number of processes in copy_process."""
    code = (
        "int sys_one(struct task_struct *p, int n)\n"
        f"{{ if (n >= p->most && p->user {sign} {user} && !capable(CAP_A)) return -EAGAIN;\n"
        "return 0; }\n"
    )
    assert instead(code)["CAP_A"] == expected


@pytest.mark.parametrize(
    "code",
    [
        "int sys_one(void) { if (!capable(CAP_A) || !capable(CAP_B)) return -EPERM; return 0; }",
        "int sys_one(void) { if (capable(CAP_A) && capable(CAP_B)) return 0; return -EPERM; }",
        "int sys_one(void)\n{\nif (!capable(CAP_A))\nreturn -EPERM;\nif (!capable(CAP_B))\n"
        "return -EPERM;\nreturn 0;\n}",
        "int may(void) { return capable(CAP_A) && capable(CAP_B); }\n"
        "int sys_one(void) { if (!may()) return -EPERM; return 0; }",
    ],
)
def test_two_that_are_both_needed(code: str) -> None:
    assert instead(f"{code}\n") == {"CAP_A": (), "CAP_B": ()}


@pytest.mark.parametrize(
    "code",
    [
        "int sys_one(struct inode *i)\n"
        "{ if (current->fsuid != i->i_uid && !capable(CAP_A)) return -EPERM; return 0; }",
        "int sys_one(struct task_struct *p)\n"
        "{ if ((current->euid ^ p->suid) && !capable(CAP_A)) return -EPERM; return 0; }",
        "int may(struct inode *i)\n{ if (uid_eq(current_fsuid(), i->i_uid)) return 1;\n"
        "if (capable(CAP_A)) return 1; return 0; }\n"
        "int sys_one(struct inode *i) { if (!may(i)) return -EPERM; return 0; }",
        "int sys_one(struct kern_ipc_perm *p)\n{ kuid_t euid = current_euid();\n"
        "if (uid_eq(euid, p->cuid) || uid_eq(euid, p->uid) || capable(CAP_A)) return 0;\n"
        "return -EPERM; }",
        # All ids are the target's (ptrace_attach of 2.4, __ptrace_may_access of 6.8).
        "int sys_one(struct task_struct *t)\n"
        "{ if ((current->uid != t->euid || current->uid != t->uid || current->gid != t->gid)\n"
        "&& !capable(CAP_A)) return -EPERM; return 0; }",
        "int sys_one(struct task_struct *t, int mode)\n"
        "{ const struct cred *cred = current_cred(); kuid_t uid; kgid_t gid;\n"
        "if (mode & 1) { uid = cred->fsuid; gid = cred->fsgid; }\n"
        "else { uid = cred->uid; gid = cred->gid; }\n"
        "if (uid_eq(uid, t->cred->euid) && gid_eq(gid, t->cred->gid)) goto ok;\n"
        "if (capable(CAP_A)) goto ok; return -EPERM; ok: return 0; }",
        # check_prlimit_permission
        "int sys_one(struct task_struct *t)\n"
        "{ const struct cred *cred = current_cred(); bool same;\n"
        "same = uid_eq(cred->uid, t->cred->euid) && gid_eq(cred->gid, t->cred->gid);\n"
        "if (!same && !capable(CAP_A)) return -EPERM; return 0; }",
        # shmctl_do_lock
        "int sys_one(struct kern_ipc_perm *p)\n"
        "{ if (!capable(CAP_A)) { kuid_t euid = current_euid();\n"
        "if (!uid_eq(euid, p->cuid) && !uid_eq(euid, p->uid)) return -EPERM; } return 0; }",
    ],
)
def test_an_owner_needs_no_privilege(code: str) -> None:
    assert instead(f"{code}\n") == {"CAP_A": ("owner",)}


@pytest.mark.parametrize(
    "code",
    [
        # Owner of the file, and the same group: not the owner alone.
        "int sys_one(struct inode *i)\n"
        "{ if ((current->fsuid != i->i_uid || a) && !capable(CAP_A)) return -EPERM; return 0; }",
        # A uid that a file system keeps something for owns nothing that is acted upon.
        "int sys_one(struct super_block *sb)\n"
        "{ if (EXT_SB(sb)->s_resuid != current->fsuid && !capable(CAP_A)) return -ENOSPC;\n"
        "return 0; }",
        "int sys_one(struct budget *c)\n"
        "{ if (c->rp_uid != current->fsuid && !capable(CAP_A)) return -ENOSPC; return 0; }",
        # A uid that the caller chooses.
        "int sys_one(int uid)\n"
        "{ if (uid != current->uid && !capable(CAP_A)) return -EPERM; return 0; }",
        "int sys_one(struct inode *i)\n"
        "{ if (current->fsuid == i->i_uid && !capable(CAP_A)) return -EPERM; return 0; }",
        # The ids are not all that is asked for.
        "int sys_one(struct task_struct *t)\n"
        "{ if ((current->uid != t->uid || current->gid != t->gid || t->kept)\n"
        "&& !capable(CAP_A)) return -EPERM; return 0; }",
        # The same group is not the same user.
        "int sys_one(struct task_struct *t)\n"
        "{ if ((current->gid != t->egid || current->gid != t->gid)\n"
        "&& !capable(CAP_A)) return -EPERM; return 0; }",
        # One of the ways leaves a uid that is not the caller's.
        "int sys_one(struct task_struct *t, kuid_t given, int mode)\n"
        "{ const struct cred *cred = current_cred(); kuid_t uid;\n"
        "if (mode & 1) { uid = cred->fsuid; } else { uid = given; }\n"
        "if (uid_eq(uid, t->cred->uid)) return 0;\n"
        "if (capable(CAP_A)) return 0; return -EPERM; }",
    ],
)
def test_a_uid_that_does_not_suffice(code: str) -> None:
    assert instead(f"{code}\n") == {"CAP_A": ()}


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("bool able = capable(CAP_B);", ("CAP_B",)),
        ("bool able = capable(CAP_B); if (n) { able &= capable(CAP_C); }", ("CAP_B",)),
        ("bool able = false; if (n) { able = capable(CAP_B); }", ()),
        ("bool able = capable(CAP_B); able = n;", ()),
    ],
)
def test_what_a_variable_was_told_before(before: str, expected: tuple[str]) -> None:
    """perf_check_permission of 6.8."""
    code = (
        "bool may(void) { if (capable(CAP_A)) return true; return false; }\n"
        f"bool allowed(int n) {{ {before} return able || may(); }}\n"
        "int sys_one(int n) { if (!allowed(n)) return -EACCES; return 0; }\n"
    )
    assert instead(code)["CAP_A"] == expected


def test_a_refusal_before_is_no_alternative() -> None:
    code = (
        "int sys_one(void)\n{ if (capable(CAP_B)) return -EINVAL;\n"
        "if (!capable(CAP_A)) return -EPERM; return 0; }\n"
    )
    assert instead(code)["CAP_A"] == ()


def test_whose_privilege_and_where() -> None:
    assert place("capable(CAP_A)") == ("caller", "init")
    assert place("ns_capable(&init_user_ns, CAP_A)") == ("caller", "init")
    assert place("ns_capable(net->user_ns, CAP_A)", "struct net *net") == ("caller", "owner")
    assert place("file_ns_capable(f, &init_user_ns, CAP_A)", "struct file *f") == (
        "opener",
        "init",
    )
    assert place("has_capability(p, CAP_A)", "struct task_struct *p") == ("other", "init")
    assert place("has_capability(current, CAP_A)") == ("caller", "init")
    assert place("has_ns_capability(p, p->ns, CAP_A)", "struct task_struct *p") == (
        "other",
        "owner",
    )


def test_through_wrappers_and_helpers() -> None:
    wrapped = (
        "bool net_capable(struct sock *sk, struct user_namespace *ns, int cap)\n"
        "{ return file_ns_capable(sk->file, ns, cap) && ns_capable(ns, cap); }\n"
        "bool init_capable(struct sock *sk, int cap)\n"
        "{ return net_capable(sk, &init_user_ns, cap); }\n"
        "int sys_one(struct sock *sk) { if (!init_capable(sk, CAP_A)) return -EPERM; return 0; }\n"
    )
    (meaning,) = meanings(wrapped, before=NAMESPACES)
    assert (meaning.subject, meaning.namespace) == ("caller", "init")
    handed = (
        "int may(struct task_struct *t, struct user_namespace *ns)\n"
        "{ if (!has_ns_capability(t, ns, CAP_A)) return -EPERM; return 0; }\n"
        "int sys_one(int a) { return may(current, &init_user_ns); }\n"
        "int sys_two(struct task_struct *p) { return may(p, p->ns); }\n"
    )
    (meaning,) = meanings(handed, before=NAMESPACES)
    assert (meaning.subject, meaning.namespace) == ("caller", "init")
    (meaning,) = meanings(handed, "two", before=NAMESPACES)
    assert (meaning.subject, meaning.namespace) == ("other", "owner")


def test_a_set_that_is_handed_over_with_its_namespace() -> None:
    code = (
        "int cap_asked(const struct cred *cred, struct user_namespace *ns, int cap)\n"
        "{ return cap_raised(cred->cap_effective, cap) ? 0 : -EPERM; }\n"
        "int sys_one(int a) { return cap_asked(current_cred(), &init_user_ns, CAP_A); }\n"
        "int sys_two(struct task_struct *p)\n"
        "{ return cap_asked(__task_cred(p), p->ns, CAP_A); }\n"
    )
    (meaning,) = meanings(code, before=NAMESPACES)
    assert (meaning.subject, meaning.namespace) == ("caller", "init")
    (meaning,) = meanings(code, "two", before=NAMESPACES)
    assert (meaning.subject, meaning.namespace) == ("other", "owner")


def test_no_namespace_before_there_were_any() -> None:
    (meaning,) = meanings("int sys_one(void) { return capable(CAP_A) ? 0 : -EPERM; }\n")
    assert (meaning.subject, meaning.namespace) == ("caller", None)
    (meaning,) = meanings(
        "int sys_one(void) { if (current->euid) return -EPERM; return 0; }\n", before=NAMESPACES
    )
    assert meaning.namespace is None


def test_what_is_done_under_the_credentials_of_who_opened_a_file() -> None:
    opened = (
        "int work(int a) { if (!capable(CAP_A)) return -EPERM; return 0; }\n"
        "int sys_one(struct file *file) { const struct cred *old; int err;\n"
        "%s\nold = override_creds(%s); err = 0;\n%s\nrevert_creds(old);\n%s\nreturn err; }\n"
    )
    call = "err = work(1);"
    for filled, subject in (
        (("", "file->f_cred", call, ""), "opener"),
        ((call, "file->f_cred", "", ""), "caller"),
        (("", "file->f_cred", "", call), "caller"),
        (("", "prepare_creds()", call, ""), "caller"),
    ):
        (meaning,) = meanings(opened % filled)
        assert meaning.subject == subject


def test_a_check_that_only_limits_behind_one_that_refuses() -> None:
    code = (
        "int sys_one(int a)\n"
        "{ if (a < least && !capable(CAP_A)) return -EACCES;\n"
        "if (capable(CAP_A)) least = a; return 0; }\n"
    )
    assert {(one.effect, one.errno) for one in meanings(code)} == {("deny", "EACCES")}
    other = code.replace("capable(CAP_A)) least", "capable(CAP_B)) least")
    assert {(one.effect, one.errno) for one in meanings(other)} == {
        ("deny", "EACCES"),
        ("limit", None),
    }
    later = (
        "int sys_one(int a)\n"
        "{ if (capable(CAP_A)) least = a;\n"
        "if (a < least && !capable(CAP_A)) return -EACCES; return 0; }\n"
    )
    assert {(one.effect, one.errno) for one in meanings(later)} == {
        ("deny", "EACCES"),
        ("limit", None),
    }


def test_a_check_that_only_limits_behind_one_of_something_else() -> None:
    """mlock, which asks a helper first, and migrate_pages."""
    code = (
        "int may(void) { if (rlimit(RLIMIT_A) != 0) return 1; if (capable(CAP_A)) return 1;\n"
        "return 0; }\n"
        "int sys_one(int n)\n"
        "{ int e = -ENOMEM; if (!may()) return -EPERM;\n"
        "if (n > most && !capable(CAP_A)) n -= counted;\n"
        "if (n <= most || capable(CAP_A)) e = lock(n); return e; }\n"
    )
    assert {(one.effect, one.errno) for one in meanings(code)} == {
        ("limit", "EPERM"),
        ("limit", "ENOMEM"),
    }
    chosen = (
        "int sys_one(int a)\n"
        "{ int e; if (%s && !capable(CAP_A)) return -EPERM;\n"
        "e = move(a, capable(CAP_A) ? ALL : OWN); return e; }\n"
    )
    known = meanings(chosen % "a < least")
    assert {(one.effect, one.errno) for one in known} == {("deny", "EPERM")}
    unknown = meanings(chosen % "!is_within(nodes)")
    assert {(one.effect, one.errno) for one in unknown} == {("deny", "EPERM"), ("limit", None)}


def test_a_check_that_only_limits_before_one_that_says_how() -> None:
    code = (
        "int sys_one(int n)\n"
        "{ int e = -ENOMEM; if (n > most && !capable(CAP_A)) n -= counted;\n"
        "if (n <= most || capable(CAP_A)) e = lock(n); return e; }\n"
    )
    assert {(one.effect, one.errno) for one in meanings(code)} == {("limit", "ENOMEM")}
    other = code.replace("-ENOMEM", "-EINVAL")
    assert ("limit", None) in {(one.effect, one.errno) for one in meanings(other)}


@pytest.mark.parametrize(
    ("condition", "later", "expected"),
    [
        ("kind == SHARED && !may()", "kind == SHARED", ("deny", "EPERM")),
        ("kind == OTHER && !may()", "kind == SHARED", ("limit", None)),
        ("kind == SHARED && !may()", "kind == SHARED && kind > 1", ("deny", "EPERM")),
        ("kind == SHARED && !may()", "kind == SHARED || kind > 1", ("limit", None)),
    ],
)
def test_a_check_on_the_way_behind_one_that_refuses(
    condition: str, later: str, expected: tuple[str, str | None]
) -> None:
    """A warning of hugetlb_file_setup in 6.8."""
    code = f"""
int may(void) {{ return capable(CAP_A) || in_group(); }}
int warns(int n) {{ if (n > most && !capable(CAP_A)) return 0; return 1; }}
int sys_one(int kind)
{{
    if ({condition})
        return -EPERM;
    if ({later}) {{
        if (warns(kind))
            log();
    }}
    return 0;
}}
"""
    rows = linked(f"-- kernel/one.c\n{code}").syscall_checks
    found = {
        (row.meaning.effect, row.meaning.errno) for row in rows if row.check.function == "warns"
    }
    assert found == {expected}


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("MAY_WRITE", "EPERM"), ("MAY_READ", "ENODATA"), ("mask", "EPERM"), ("mask | 1", "EPERM")],
)
def test_one_of_two_errors_that_an_argument_chooses(argument: str, expected: str) -> None:
    """xattr_permission from 2.6.16 on."""
    code = f"""
int ask(int a, int mask)
{{
    if (!capable(CAP_A))
        return (mask & MAY_WRITE) ? -EPERM : -ENODATA;
    return 0;
}}
int sys_one(int mask) {{ int error = ask(1, {argument}); if (error) return error; return 0; }}
"""
    assert refusal(code) == ("deny", expected)
