-- title: Which syscalls check a privilege only in ways that say little
-- description: The syscalls that come to a check of one privilege in one release, though by no own or shared requirement: many pointer steps lead to code that many share (`standing` is remote), or constants on the way switch the check off (off).
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_ADMIN)
-- param release: a release (default: the newest in the database)
-- param reach: direct, call or pointer (default: all three)
-- param operation: an operation, with * for any text (default: all)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with asked as (
    select
        privilege,
        release,
        ordinal,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        nullif(trim(:reach), '') as reach
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = coalesce(nullif(lower(trim(:privilege)), ''), 'cap_sys_admin')
),
held as materialized (
    select syscall, standing from syscall_requirement_runs
    where privilege = (select privilege from asked)
        and abi = (select abi from asked)
        and (select ordinal from asked) between first_ordinal and last_ordinal
        and coalesce((select reach from asked), reach) = reach
        and ({{matches_operation operation}})
)
select
    asked.release, asked.abi, held.syscall, asked.privilege,
    case when max(held.standing = 'remote') then 'remote' else 'off' end as standing
from held, asked
group by held.syscall
having not max({{is_told held.standing}})
order by standing desc, held.syscall
