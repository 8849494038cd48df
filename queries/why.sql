-- title: Why a syscall checks a privilege
-- description: The chain of calls from a syscall's entry function to the check behind each of its requirements, step by step, the best evidence first. `chain` is a JSON array of steps: function, path, line, edge and via.
-- param syscall: the name that user space knows it by (default: chroot)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: every privilege)
-- param operation: an operation, with * for any text (default: all)
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64, or the one that has the syscall)
with {{asked_chains}},
found as (
    select * from requirements
    where release = (select release from asked)
        and abi = (select abi from tables)
        and syscall = (select syscall from asked)
        and coalesce((select privilege from asked), privilege) = privilege
        and ({{matches_operation operation}})
)
select
    {{requirement_columns}}
from found
order by
    {{standing_rank}},
    pointer_hops, depth, shared_by, path, line, operation
