-- title: What every syscall of a release asks for, in short
-- description: The syscalls of one release with the operations and privileges that are told (own and shared): a row for each, with the best evidence, for tables of many syscalls.
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with asked as (
    select release, coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
)
select syscall, operation, privilege, standing, reach, shared_by
from requirements
where release = (select release from asked)
    and abi = (select abi from asked)
    and standing in ('own', 'shared')
order by syscall, operation, privilege
