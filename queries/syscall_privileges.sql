-- title: Since when a syscall checks each privilege
-- description: The unbroken runs of releases in which a syscall asks for each privilege, by any operation; `open` is 1 for a run that reaches the newest release of the database. `standing` is own or shared where it is told, and remote or off where it says little.
-- param syscall: the name that user space knows it by (default: setgid)
-- param abi: a system-call table (default: i386, or x86_64 where only that has the syscall)
-- param everything: 1 to show also remote and switched off requirements (default: 0)
with asked as (
    select coalesce(nullif(trim(:syscall), ''), 'setgid') as syscall, {{all_asked}} as everything
),
runs as (
    select
        abi, syscall, privilege,
        (
            select min(case each.standing when 'own' then 'own' else 'shared' end)
            from syscall_privilege_runs as each
            where each.abi = told.abi and each.syscall = told.syscall
                and each.privilege = told.privilege and {{is_told each.standing}}
        ) as standing,
        first_release, last_release, first_ordinal, open
    from syscall_asked_runs as told
    where syscall = (select syscall from asked)
    union all
    select
        abi, syscall, privilege, standing, first_release, last_release, first_ordinal, open
    from syscall_privilege_runs as weak
    where syscall = (select syscall from asked)
        and (select everything from asked)
        and not exists (
            select 1 from syscall_asked_runs as told
            where told.syscall = weak.syscall and told.abi = weak.abi
                and told.privilege = weak.privilege
                and weak.first_ordinal between told.first_ordinal and told.last_ordinal
        )
)
select abi, syscall, privilege, standing, first_release, last_release, open
from runs
where abi = coalesce(nullif(trim(:abi), ''), (
    select min(abi) from syscall_timeline where syscall = (select syscall from asked)
))
order by privilege like 'CAP#_%' escape '#', privilege, first_ordinal
