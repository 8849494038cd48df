-- title: The system-call tables in the database
-- description: The ABIs whose system-call tables were read, each with the number of its syscalls in any release and its first and last release.
with tables as (
    select
        abi,
        count(distinct syscall) as syscalls,
        min(first_ordinal) as first_ordinal,
        max(last_ordinal) as last_ordinal
    from syscall_timeline
    group by abi
)
select
    abi,
    syscalls,
    (select release from releases where ordinal = first_ordinal) as first_release,
    (select release from releases where ordinal = last_ordinal) as last_release
from tables
order by abi
