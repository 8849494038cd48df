-- title: Which syscalls check a privilege only in ways that say little
-- description: The syscalls that come to a check of one privilege in one release, though by no row of telling_checks: constants on the way switch the check off (`feasible` is 0), or the check stands in code that many syscalls share.
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_ADMIN)
-- param release: a release (default: the newest in the database)
-- param reach: direct, call or pointer (default: all three)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with asked as (
    select
        privilege,
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        nullif(trim(:reach), '') as reach
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = coalesce(nullif(lower(trim(:privilege)), ''), 'cap_sys_admin')
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
