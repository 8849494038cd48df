-- title: Which syscalls check a privilege
-- description: The syscalls that ask for one privilege in one release, by operation, with what happens without it, what does as well (`instead`) and the best evidence; own requirements before shared ones, and direct checks before calls before calls through pointers.
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_CHROOT)
-- param release: a release (default: the newest in the database)
-- param reach: direct, call or pointer (default: all three)
-- param operation: an operation, with * for any text (default: all)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
-- param everything: 1 to show also remote and switched off requirements (default: 0)
with asked as (
    select
        privilege,
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        nullif(trim(:reach), '') as reach,
        {{all_asked}} as everything
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = coalesce(nullif(lower(trim(:privilege)), ''), 'cap_sys_chroot')
),
found as (
    {{asked_requirements}}
        and privilege = (select privilege from asked)
        and coalesce((select reach from asked), reach) = reach
)
select
    {{requirement_columns}}
from found
order by
    {{standing_order}}, syscall, operation, path, line
