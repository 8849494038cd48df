-- title: How many sites and syscalls check a privilege, release by release
-- description: For one privilege, the number of its check sites in each release that has any, and the number of syscalls that come to one (by a row of telling_checks).
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
-- The runs of one syscall that ask for it by different names of checks may overlap: each
-- release counts the syscall once.
reached as (
    select
        runs.syscall, runs.first_ordinal, runs.last_ordinal,
        max(runs.last_ordinal) over (
            partition by runs.syscall order by runs.first_ordinal, runs.last_ordinal
            rows between unbounded preceding and 1 preceding
        ) as covered
    from syscall_privilege_runs as runs, asked
    where coalesce(runs.capability, runs.check_name) = asked.privilege
        and runs.abi = asked.abi
        and runs.telling = 1
),
steps as (
    select first_ordinal as ordinal, 1 as site, 0 as syscall from sites
    union all
    select last_ordinal + 1, -1, 0 from sites
    union all
    select max(first_ordinal, coalesce(covered + 1, first_ordinal)), 0, 1
    from reached where covered is null or covered < last_ordinal
    union all
    select last_ordinal + 1, 0, -1
    from reached where covered is null or covered < last_ordinal
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
