-- title: The entry of a syscall in the system-call table of a release
-- description: The number of a syscall, its entry function and where that is defined.
-- param syscall: the name that user space knows it by (default: chroot)
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64, or the one that has the syscall)
with entries as (
    select syscalls.*, asked_releases.abi as usual_abi
    from asked_releases join syscalls using (release)
    where asked_releases.asked = {{without_v :release}}
        and syscalls.syscall = coalesce(nullif(trim(:syscall), ''), 'chroot')
)
select release, abi, number, syscall, function, path, line, parent
from entries
where abi = coalesce(
    nullif(trim(:abi), ''), (select abi from entries order by abi = usual_abi desc, abi limit 1)
)
