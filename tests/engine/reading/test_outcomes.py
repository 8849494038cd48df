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
        ("return a(f());", ("goes on", "goes on", "goes on")),
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
    assert outcomes(told) == ("0", "0", "reply ")
    assert outcomes("if (!f(skb)) { netlink_ack(skb, h, -EPERM); return 0; }")[0] == "reply EPERM"
    returned = "e = f(skb); if (e) return io_submit_fail_init(sqe, req, e); return 0;"
    assert outcomes(returned) == ("0", "goes on", "reply ")
    kept = "e = f(skb); if (e) log(skb, h, e); return 0;"
    assert outcomes(kept) == ("0", "0", "0")


def test_a_macro_gives_what_its_expression_is() -> None:
    (macro,) = facts("#define may(x) (!f(x))\n").macros
    assert macro.calls[0].outcomes[:3] == ("1", "0", "0")
    (macro,) = facts("#define demand(x) do { if (!f(x)) return -EPERM; } while (0)\n").macros
    assert macro.calls[0].outcomes[0] == "EPERM"


def test_more_is_granted_than_is_returned_without() -> None:
    granted = "int mode = p->mode; if (f()) mode = 0777; else if (a) mode >>= 6; return mode & 7;"
    assert outcomes(granted)[0] == "0"
    assert outcomes("int n = 3; if (f()) log(); return n & 7;")[0] == "goes on"
