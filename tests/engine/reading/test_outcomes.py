"""What a function does about what a call in it gives: 0, 1, an error, or an error left behind."""

from __future__ import annotations

import pytest

from tests.engine.adapters import facts
from tests.engine.reading.bodies import body


def outcomes(statements: str) -> tuple[str, ...]:
    """What the only call of ``f`` among some statements comes to that gives 0, 1 or an error."""
    (call,) = [call for call in body(statements).calls if call.target == "f"]
    return call.outcomes[:3]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("return f();", ("same", "same", "same")),
        ("f(); return 0;", ("goes on", "goes on", "goes on")),
        ("return -f();", ("same", "same", "same")),
        ("return ERR_PTR(f());", ("same", "same", "same")),
        ("return !f();", ("1", "0", "0")),
        ("return f() ? 0 : -EPERM;", ("EPERM", "0", "0")),
        ("return f() < 0 ? -EINVAL : 7;", ("1", "1", "EINVAL")),
        ("e = f(); if (e) return e; return 0;", ("0", "same", "same")),
        (
            "e = f(); if (e < 0) goto out; e = 0; out: b(); return e;",
            ("0", "0", "same"),
        ),
        ("if ((e = f()) != 0) return e; a(); return 1;", ("1", "same", "same")),
        ("p = f(); if (IS_ERR(p)) return PTR_ERR(p); a(p); return 0;", ("0", "0", "same")),
        ("if (f()) return -EINVAL; return 0;", ("0", "EINVAL", "EINVAL")),
        ("if (!f()) return -EPERM; return a();", ("EPERM", "goes on", "goes on")),
        ("e = f(); if (e == -ENOENT) return 0; return e;", ("same", "same", "same")),
        ("e = f(); if (e != -EPERM) n = e; return n;", ("same", "same", "goes on")),
        ("e = f(); e = a(); return e;", ("goes on", "goes on", "goes on")),
        (
            "e = -EAGAIN; if (!f()) goto bad; e = a(); out: unlock(); if (b) c(); return e;"
            " bad: free(p); goto out;",
            ("EAGAIN", "goes on", "goes on"),
        ),
        ("again: if (!f()) goto wait; return 0; wait: a(); goto again;", ("goes on", "0", "0")),
        ("if (f() == DENIED) return -EDQUOT; return 0;", ("0", "EDQUOT", "0")),
        ("if (a()) return DENIED; return f();", ("same", "same", "same")),
        ("return a(f());", ("goes on", "goes on", "of a")),
        # A flag in front of the call is set where the call is made.
        (
            "raised = 0; if (a) { raised = 1; } if (b) { if (raised && !f()) return -EPERM; }"
            " return 0;",
            ("EPERM", "0", "0"),
        ),
        ("none = 1; g(&none); if (none || f()) return 0; return -EPERM;", ("EPERM", "0", "0")),
        ("e = 0; if (a) e = b; if (!e && !f()) return -EPERM; return e;", ("EPERM", "0", "0")),
        # What takes down a refusal gives back the error that it is handed.
        ("if (!f()) return note(a, -EACCES); return 0;", ("EACCES", "0", "0")),
        ("if (!f()) a(); return note(a, -EACCES);", ("goes on", "goes on", "goes on")),
        # The call behind the comparison is made with that error only.
        ("if (e == -ENOSPC && f()) a(); return e;", ("ENOSPC", "ENOSPC", "ENOSPC")),
        ("if (e == -ENOSPC || f()) a(); return e;", ("goes on", "goes on", "goes on")),
        # It fails either way.
        ("if (!f()) return a ? -EPERM : -ENODATA; return 0;", ("EPERM", "0", "0")),
        ("if (!f()) return a ? -ENODATA : -EACCES; return 0;", ("EACCES", "0", "0")),
        ("if (!f()) return a ? -EPERM : 0; return 0;", ("goes on", "0", "0")),
        # An error is no address.
        ("if (f(a, b) != a) goto out; c(); out: return d;", ("unknown", "unknown", "goes on")),
        ("if (f(a, b) == a) return 0; return -ENXIO;", ("unknown", "unknown", "ENXIO")),
        # Which error it is may be asked without handing it on.
        (
            "again: ret = f(); if (err_matches(ret, AGAIN)) goto again; return ret;",
            ("same", "same", "same"),
        ),
        ("err = f(); return of_errors(a, err);", ("goes on", "goes on", "same")),
        # An error that the next round of a loop is handed comes out of it.
        (
            "while (!(e = walk(s)) && (s = f()) != NULL) ; if (!e) e = open(); return e;",
            ("goes on", "goes on", "same"),
        ),
        (
            "while (!(e = walk(s)) && (n = f()) != NULL) ; if (!e) e = open(); return e;",
            ("goes on", "goes on", "goes on"),
        ),
        # Without it, it depends on what.
        (
            "if (f()) return true; switch (a) { case 1: return true; default: return false; }",
            ("0", "1", "1"),
        ),
        ("if (f()) { a(); if (b > c) return 1; } return 0;", ("0", "goes on", "goes on")),
        ("if (f()) { a(); if (b > c) d(); } return 0;", ("goes on", "goes on", "goes on")),
        # Another function has the last word without it.
        ("if (f()) return 0; return ask(a);", ("of ask", "0", "0")),
        ("if (f()) return 0; b(); rc = ask(a); rc = note(a, rc); return rc;", ("of ask", "0", "0")),
        ("if (!f()) return ask(a); return 0;", ("of ask", "0", "0")),
        ("if (!f()) flags = 0; return work(flags);", ("goes on", "goes on", "goes on")),
        ("if (!f()) return -EPERM; return work(a);", ("EPERM", "goes on", "goes on")),
        # Restricted, and refused where more is wanted.
        (
            "if (!f()) { if (a) return -EPERM; flags |= RESTRICTED; } return work(flags);",
            ("limited, EPERM", "goes on", "goes on"),
        ),
        (
            "if (!f()) { if (a) return -EPERM; flags |= OWN; } else flags = all; return c(b);",
            ("EPERM", "goes on", "goes on"),
        ),
        (
            "if (!f()) { err = ask(a); if (err) return err; if (b) return -EPERM; } return 0;",
            ("EPERM", "goes on", "goes on"),
        ),
        (
            "if (!f()) { if (a) return -EPERM; flags |= OWN; goto out; } b(); out: return c(b);",
            ("EPERM", "goes on", "goes on"),
        ),
        (
            "if (!f()) most = min(most, low); if (n > most) return -EINVAL; return 0;",
            ("limited, EINVAL", "goes on", "goes on"),
        ),
        (
            "if (!f()) most = min(most, low); if (n > most) n = most; return 0;",
            ("goes on", "goes on", "goes on"),
        ),
        # An error that is written into a struct comes back with it.
        ("ad->error = f(); return note(a, ad);", ("goes on", "goes on", "same")),
        ("ad->error = f(); return note(a, b);", ("goes on", "goes on", "goes on")),
        # A flag that says whether it was there is asked later.
        (
            "p = 0; if (a || f()) p = 1; if (!p) return -EPERM; return b;",
            ("EPERM", "goes on", "goes on"),
        ),
        (
            "p = 0; if (f()) p = 1; switch (a) { case 1: return -EINVAL;"
            " case 2: if (!p) return -EPERM; b(); return 0; } return 0;",
            ("EPERM", "goes on", "goes on"),
        ),
        (
            "p = 0; if (f()) p = 1; switch (a) { case 1: return -EINVAL;"
            " case 2: if (p) c(); return 0; } return 0;",
            ("goes on", "goes on", "goes on"),
        ),
        # What the others meet: a refusal, not a fault of the work.
        ("if (f()) return 0; if (a) e = -EACCES; return e;", ("EACCES", "0", "0")),
        ("if (f()) return 0; if (a) return -EFAULT; return b;", ("goes on", "0", "0")),
        (
            "if (f()) return 0; do { if (a) return -ENOBUFS; } while (b); return 0;",
            ("ENOBUFS", "0", "0"),
        ),
        ("if (f()) return 1; if (a) return -EACCES; return b;", ("0", "1", "1")),
        ("switch (f()) { case 0: return -EPERM; default: return 0; }", ("EPERM", "0", "0")),
    ],
)
def test_outcomes(statements: str, expected: tuple[str, ...]) -> None:
    assert outcomes(statements) == expected


def test_an_error_that_is_left_in_a_variable() -> None:
    left = body("int err; b = f(&err); if (!b) return err; return 1;").calls[0]
    assert left.outcomes == ("goes on", "1", "1", "reason")
    handed = body("b = f(err); if (!b) return NULL; *err = 0; return b;", "int *err").calls[0]
    assert handed.outcomes[3] == "0 and "
    made = body("*err = -ENOSPC; if (!f()) return NULL; return p;", "int *err").calls[0]
    assert made.outcomes[0] == "0 and ENOSPC"


def test_a_reply_of_netlink() -> None:
    told = "e = f(skb); if (e || wanted) netlink_ack(skb, h, e); return 0;"
    assert outcomes(told) == ("goes on", "goes on", "reply ")
    assert outcomes("if (!f(skb)) { netlink_ack(skb, h, -EPERM); return 0; }")[0] == "reply EPERM"
    returned = "e = f(skb); if (e) return io_submit_fail_init(sqe, req, e); return 0;"
    assert outcomes(returned) == ("0", "of io_submit_fail_init", "reply ")
    taken = "n = f(req); if (n != done && n >= 0) a(); r = kiocb_done(req, n); return r;"
    assert outcomes(taken)[2] == "reply "
    kept = "e = f(skb); if (e) log(skb, h, e); return 0;"
    assert outcomes(kept) == ("goes on", "goes on", "goes on")


def test_a_macro_gives_what_its_expression_is() -> None:
    (macro,) = facts("#define may(x) (!f(x))\n").macros
    assert macro.calls[0].outcomes[:3] == ("1", "0", "0")
    (macro,) = facts("#define demand(x) do { if (!f(x)) return -EPERM; } while (0)\n").macros
    assert macro.calls[0].outcomes[0] == "EPERM"


def test_more_is_granted_than_is_returned_without() -> None:
    granted = "int mode = p->mode; if (f()) mode = 0777; else if (a) mode >>= 6; return mode & 7;"
    assert outcomes(granted)[0] == "0"
    assert outcomes("int n = 3; if (f()) log(); return n & 7;")[0] == "goes on"
