-- title: Which syscalls check a privilege
-- description: The syscalls that come to a check of one privilege in one release, the most telling rows first: direct checks before calls before calls through pointers, and sites that few syscalls share before sites that many share.
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_CHROOT)
-- param release: a release (default: the newest in the database)
-- param reach: direct, call or pointer (default: all three)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
-- param withheld: 1 to show also what is not in telling_checks (default: 0)
with asked as (
    select
        privilege,
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        nullif(trim(:reach), '') as reach,
        coalesce(trim(:withheld), '') not in ('', '0') as withheld
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = coalesce(nullif(lower(trim(:privilege)), ''), 'cap_sys_chroot')
),
-- Materialised: SQLite would else look up what it shows of a row again to sort by it.
checks as materialized (
    select * from weighed_checks
    where release = (select release from asked)
        and abi = (select abi from asked)
        and coalesce(capability, check_name) = (select privilege from asked)
        and coalesce((select reach from asked), reach) = reach
        and (telling = 1 or (select withheld from asked))
)
select
    release, abi, syscall, check_name, capability, reach, depth, pointer_hops, conditional,
    feasible, function, path, line, effect, errno, shared_by, chain
from checks
order by
    feasible desc,
    case reach when 'direct' then 0 when 'call' then 1 else 2 end,
    shared_by, pointer_hops, depth, syscall, path, line
