-- title: Which syscalls come to the checks of a function
-- description: The syscalls that come to a check in one function, with the nearest way of any release and the first and the last release with any way. Ways that constants switch off are left out; a function that many syscalls come to through pointers says little about any of them.
-- param function: the function that holds the check (default: sys_chroot)
-- param path: its file, from the root of the kernel tree (default: any)
-- param abi: a system-call table (default: i386)
with asked as (
    select
        coalesce(nullif(trim(:function), ''), 'sys_chroot') as function,
        nullif(trim(:path), '') as path,
        {{abi_or_i386}} as abi
),
places as (
    select distinct sites.path
    from check_site_runs as sites, asked
    where sites.function = asked.function and coalesce(asked.path, sites.path) = sites.path
),
reached as (
    select
        runs.abi, runs.syscall, runs.check_name, runs.capability,
        min(runs.pointer_hops * 1000 + runs.depth) as nearest,
        min(runs.first_ordinal) as first_ordinal,
        max(runs.last_ordinal) as last_ordinal
    from syscall_check_runs as runs, asked
    where runs.function = asked.function
        and runs.abi = asked.abi
        and runs.path in (select path from places)
        and runs.standing <> 'off'
    group by runs.syscall, runs.check_name, runs.capability
)
select
    abi, syscall, check_name, capability,
    case when nearest = 0 then 'direct' when nearest < 1000 then 'call' else 'pointer' end as reach,
    nearest % 1000 as depth,
    nearest / 1000 as pointer_hops,
    (select release from releases where ordinal = first_ordinal) as first_release,
    (select release from releases where ordinal = last_ordinal) as last_release
from reached
order by nearest, syscall, first_ordinal
