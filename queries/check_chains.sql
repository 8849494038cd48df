-- title: The way from a syscall to each of its check sites
-- description: Every check site that a syscall comes to in one release, with the operations by which it does and the best chain of calls to it. `chain` is a JSON array of steps: function, path, line, edge and via.
-- param syscall: the name that user space knows it by (default: chroot)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: every privilege)
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64, or the one that has the syscall)
with {{asked_chains}},
found as materialized (
    select * from syscall_checks
    where release = (select release from asked)
        and abi = (select abi from tables)
        and syscall = (select syscall from asked)
        and coalesce((select privilege from asked), capability, check_name)
            = coalesce(capability, check_name)
)
select
    release, abi, syscall, check_name, capability, reach, depth, pointer_hops, conditional,
    feasible, function, path, line, effect, errno, shared_by, chain, operations, instead, subject,
    namespace, standing
from found
order by
    {{standing_rank}},
    pointer_hops, depth, shared_by, path, line
