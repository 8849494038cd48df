-- title: The operations that ask for a privilege
-- description: Every operation by which a syscall comes to a check in any release, by the name that user space writes.
-- param syscall: the name that user space knows it by (default: all)
select distinct names.syscall, meanings.operation
from meanings
join requirement_runs on requirement_runs.meaning = meanings.id
join syscall_names as names on names.id = requirement_runs.name
where meanings.operation <> ''
    and coalesce(nullif(trim(:syscall), ''), names.syscall) = names.syscall
order by names.syscall, meanings.operation
