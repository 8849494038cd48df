-- title: Every syscall of any release
-- description: The syscalls of all system-call tables of an ABI, each with its first and last release and, as the last one has it, its number, its entry function with its file, and what it asks for (see syscall_asked_runs).
-- param abi: a system-call table (default: i386)
with asked as (
    select {{abi_or_i386}} as abi
),
-- Bare columns of a query with one max() are those of its row: SQLite's own rule.
held as (
    select
        timeline.abi, timeline.syscall, timeline.checks, timeline.last_release,
        max(timeline.last_ordinal) as last_ordinal,
        timeline.open
    from syscall_timeline as timeline, asked
    where timeline.abi = asked.abi
    group by timeline.syscall
),
begun as (
    select timeline.syscall, timeline.first_release, min(timeline.first_ordinal) as first_ordinal
    from syscall_timeline as timeline, asked
    where timeline.abi = asked.abi
    group by timeline.syscall
)
select
    held.abi, syscalls.number, held.syscall, syscalls.function, syscalls.path, syscalls.parent,
    begun.first_release, held.last_release, held.open, held.checks
from held
join begun on begun.syscall = held.syscall
join syscalls on syscalls.release = held.last_release
    and syscalls.abi = held.abi and syscalls.syscall = held.syscall
order by held.syscall
