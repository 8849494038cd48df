-- title: What every syscall of a release asks for, in short
-- description: The own and shared requirements of a whole release, or of one syscall, without the places of their checks, for tables of many syscalls and for what a set of capabilities lacks.
-- param release: a release (default: the newest in the database)
-- param syscall: the name that user space knows it by (default: all)
-- param operation: an operation, with * for any text (default: all)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with asked as (
    select release, coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
),
-- Those names rather than a condition on each row: so one syscall is found by its name.
wanted as materialized (
    select distinct syscall from syscalls
    where release = (select release from asked)
        and coalesce(nullif(trim(:syscall), ''), syscall) = syscall
),
-- The operations after the release: of all releases there are many times as many.
told as materialized (
    select
        release, abi, syscall, operation, privilege, instead, effect, errno, namespace, standing,
        reach, depth
    from requirements
    where release = (select release from asked)
        and abi = (select abi from asked)
        and syscall in (select syscall from wanted)
        and {{is_told standing}}
)
select
    release, abi, syscall, operation, privilege, instead, effect, errno, namespace, standing, reach,
    depth
from told
where {{matches_operation operation}}
order by syscall, operation, privilege
