-- title: Why a syscall checks a privilege
-- description: The chain of calls from a syscall's entry function to each check of one privilege, step by step, the best evidence first; `telling` is 1 for the rows of telling_checks. `chain` is a JSON array of steps: function, path, line, edge and via.
-- param syscall: the name that user space knows it by (default: chroot)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: every privilege)
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64, or the one that has the syscall)
with asked as (
    select
        coalesce(nullif(trim(:syscall), ''), 'chroot') as syscall,
        privilege,
        release,
        nullif(trim(:abi), '') as abi,
        abi as usual_abi
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = lower(trim(coalesce(:privilege, '')))
),
tables as (
    select coalesce(asked.abi, (
        select syscalls.abi from syscalls
        where syscalls.release = asked.release and syscalls.syscall = asked.syscall
        order by syscalls.abi = (select usual_abi from asked) desc, syscalls.abi limit 1
    )) as abi
    from asked
)
select
    release, abi, syscall, check_name, capability, reach, depth, pointer_hops, conditional,
    feasible, function, path, line, effect, errno, shared_by, chain,
    telling
from weighed_checks
where release = (select release from asked)
    and abi = (select abi from tables)
    and syscall = (select syscall from asked)
    and coalesce((select privilege from asked), capability, check_name)
        = coalesce(capability, check_name)
order by telling desc, feasible desc, pointer_hops, depth, shared_by, path, line
