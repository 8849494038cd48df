-- title: The names of the syscalls of a release
-- description: The syscalls of one release, those that socketcall and ipc multiplex included.
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
select syscalls.release, syscalls.abi, syscalls.syscall
from asked_releases
join syscalls on syscalls.release = asked_releases.release
    and syscalls.abi = coalesce(nullif(trim(:abi), ''), asked_releases.abi)
where asked_releases.asked = {{without_v :release}}
order by syscalls.syscall
