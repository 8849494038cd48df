-- title: The system-call table of a release
-- description: Every syscall of a release with its number and entry function, those that socketcall and ipc multiplex included, and what it asks for (see syscall_asked_runs).
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with asked as (
    select release, ordinal, coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
),
states as (
    select timeline.syscall, timeline.checks
    from syscall_timeline as timeline
    join asked on timeline.abi = asked.abi
        and asked.ordinal between timeline.first_ordinal and timeline.last_ordinal
)
select
    syscalls.release, syscalls.abi, syscalls.number, syscalls.syscall, syscalls.function,
    syscalls.path, syscalls.line, syscalls.parent, states.checks
from syscalls
join asked on syscalls.release = asked.release and syscalls.abi = asked.abi
left join states on states.syscall = syscalls.syscall
order by syscalls.number is null, syscalls.number, syscalls.parent, syscalls.syscall
