-- title: What every syscall checks, from release to release
-- description: For every syscall the unbroken runs of releases in which it checks the same privileges; `checks` is empty where it checks none, and `open` is 1 for a run that reaches the newest release of the database. What only changes its standing does not count (see syscall_asked_runs).
-- param abi: a system-call table (default: i386)
select
    abi, syscall, checks, first_release, last_release, open,
    {{gap_before first_ordinal}} as gap_before,
    case when not open then {{gap_after last_ordinal}} end as gap_after
from syscall_timeline
where abi = {{abi_or_i386}}
order by syscall, first_ordinal
