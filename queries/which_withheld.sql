-- title: Which syscalls check a privilege only in ways that say little
-- description: The syscalls that come to a check of one privilege in one release, though by no row of telling_checks: constants on the way switch the check off (`feasible` is 0), or the check stands in code that many syscalls share.
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_ADMIN)
-- param release: a release (default: the newest in the database)
-- param reach: direct, call or pointer (default: all three)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with target as (
    select release, abi from usual_abis
    where release = coalesce(
        nullif(ltrim(trim(:release), 'vV'), ''),
        (select release from releases order by ordinal desc limit 1)
    )
),
asked as (
    select
        case
            when lower(trim(:privilege)) in ('suser', 'fsuser', 'uid0') then lower(trim(:privilege))
            when coalesce(trim(:privilege), '') = '' then 'CAP_SYS_ADMIN'
            when upper(trim(:privilege)) like 'CAP#_%' escape '#' then upper(trim(:privilege))
            else 'CAP_' || upper(trim(:privilege))
        end as privilege,
        target.release,
        coalesce(nullif(trim(:abi), ''), target.abi) as abi,
        nullif(trim(:reach), '') as reach
    from target
),
held as (
    select runs.syscall, max(runs.feasible) as feasible, max(runs.telling) as telling
    from syscall_privilege_runs as runs
    join asked on runs.abi = asked.abi
        and coalesce(runs.capability, runs.check_name) = asked.privilege
    join releases on releases.release = asked.release
        and releases.ordinal between runs.first_ordinal and runs.last_ordinal
    where coalesce(asked.reach, runs.reach) = runs.reach
    group by runs.syscall
)
select asked.release, asked.abi, held.syscall, asked.privilege, held.feasible
from held, asked
where held.telling = 0
order by held.feasible desc, held.syscall
