-- title: What a syscall checks, from release to release
-- description: The unbroken runs of releases in which a syscall checks the same privileges; `checks` is empty where it checks none, and `open` is 1 for the run that reaches the newest release of the database. `gap_before` and `gap_after` are the nearest releases outside the run, where mainline releases between are not in the database: the change came anywhere there. What only changes its standing does not count (see syscall_asked_runs).
-- param syscall: the name that user space knows it by (default: setgid)
-- param abi: a system-call table (default: i386, or x86_64 where only that has the syscall)
with runs as (
    select * from syscall_timeline
    where syscall = coalesce(nullif(trim(:syscall), ''), 'setgid')
)
select
    abi, syscall, checks, first_release, last_release, open,
    {{gap_before first_ordinal}} as gap_before,
    case when not open then {{gap_after last_ordinal}} end as gap_after
from runs
where abi = coalesce(nullif(trim(:abi), ''), (select min(abi) from runs))
order by first_ordinal
