-- title: Checks that some syscalls make on every way
-- description: The check sites of the named syscalls in one release that no condition stands before, and no pointer: whoever calls them is asked, whatever the arguments.
-- param syscalls: the names that user space knows them by, separated by commas (default: chroot)
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with recursive asked as (
    select release, coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
),
-- The names of the list, one by one: what is before its first comma, then the rest.
names as (
    select
        '' as syscall,
        coalesce(nullif(replace(:syscalls, ' ', ''), ''), 'chroot') || ',' as rest
    union all
    select substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1)
    from names
    where rest <> ''
)
select distinct release, abi, syscall, check_name, capability, path, line
from syscall_checks
where release = (select release from asked)
    and abi = (select abi from asked)
    and syscall in (select syscall from names)
    and conditional = 0
    and pointer_hops = 0
    and feasible = 1
order by syscall, path, line
