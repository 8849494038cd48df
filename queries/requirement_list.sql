-- title: What the syscalls of a release ask for
-- description: Every requirement of a release: the syscall, the operation (empty where the arguments do not select the way to the check), the privilege, the others that do as well (`instead`), what happens without it (`effect`, `errno`), whose it is and in which user namespace, how much it says of the syscall (`standing`), and the best evidence behind it.
-- param release: a release (default: the newest in the database)
-- param syscall: the name that user space knows it by (default: all)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: every privilege)
-- param operation: an operation, with * for any text (default: all)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
-- param everything: 1 to show also remote and switched off requirements (default: 0)
with asked as (
    select
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        nullif(trim(:syscall), '') as syscall,
        privilege,
        {{all_asked}} as everything
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = lower(trim(coalesce(:privilege, '')))
),
-- Those names rather than a condition on each row: so one syscall is found by its name.
wanted as materialized (
    select distinct syscall from syscalls
    where release = (select release from asked)
        and coalesce((select syscall from asked), syscall) = syscall
),
found as (
    {{asked_requirements}}
        and syscall in (select syscall from wanted)
        and coalesce((select privilege from asked), privilege) = privilege
)
select
    {{requirement_columns}}
from found
order by
    syscall,
    {{standing_order}}, privilege, operation, path, line
