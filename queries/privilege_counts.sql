-- title: How many sites and syscalls check a privilege, release by release
-- description: For one privilege, the number of its check sites in each release that has any, and the number of syscalls that ask for it (see syscall_asked_runs).
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_ADMIN)
-- param abi: the system-call table whose syscalls are counted (default: i386)
with asked as (
    select
        privilege,
        {{abi_or_i386}} as abi
    from asked_privileges
    where asked = coalesce(nullif(lower(trim(:privilege)), ''), 'cap_sys_admin')
),
sites as (
    select first_ordinal, last_ordinal
    from check_site_runs, asked
    where coalesce(capability, check_name) = asked.privilege
),
reached as (
    select runs.first_ordinal, runs.last_ordinal
    from syscall_asked_runs as runs, asked
    where runs.privilege = asked.privilege and runs.abi = asked.abi
),
steps as (
    select first_ordinal as ordinal, 1 as site, 0 as syscall from sites
    union all
    select last_ordinal + 1, -1, 0 from sites
    union all
    select first_ordinal, 0, 1 from reached
    union all
    select last_ordinal + 1, 0, -1 from reached
    union all
    select ordinal, 0, 0 from releases
),
counted as (
    select distinct
        ordinal,
        sum(site) over (order by ordinal) as sites,
        sum(syscall) over (order by ordinal) as syscalls
    from steps
)
select releases.release, asked.privilege, counted.sites, counted.syscalls
from asked, counted
join releases on releases.ordinal = counted.ordinal
where counted.sites > 0 or counted.syscalls > 0
order by releases.ordinal
