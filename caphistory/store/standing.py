"""How much a check says of its syscall: the one rule, in SQL and in words."""

from __future__ import annotations

#: Which rows of ``syscall_checks`` say what a syscall is about, in SQL and in words. This is
#: the only place of the rule; ``telling_checks``, ``syscall_timeline`` and ``transitions``
#: follow it, in a database of before at the next writing (``Writer.summarise``).
#: ``file_ns_capable`` asks about who opened a file, in netlink's broadcasts about the listeners
#: (setgid tells those that follow changes of ids): a check that is none of the caller.
TELLING = """feasible = 1 AND (depth = 0
    OR (pointer_hops <= 2 AND shared_by <= 3)
    OR (check_name <> 'file_ns_capable' AND (
        (pointer_hops = 0 AND depth <= 8 AND shared_by <= 60)
        OR (pointer_hops = 1 AND depth <= 7 AND shared_by <= 20))))"""
TELLING_MEANS = (
    "feasible, and in the syscall's own function, or at a site that few syscalls share: at most"
    " three, with no more than two function pointers on the way; or, where the caller itself is"
    " asked about (not by file_ns_capable), 60 within eight direct calls, or 20 within seven"
    " steps, one of them through a function pointer"
)

#: What a check asks for, in SQL: its capability, else root in one of the three ways.
PRIVILEGE = "coalesce(capability, check_name)"
