-- title: From which release to which syscalls check a privilege
-- description: For each syscall that asks for one privilege, the unbroken runs of releases in which it does; a run does not end where only the standing of the evidence changes, and `open` is 1 for a run that reaches the newest release of the database. `gap_before` and `gap_after` are the nearest releases without it, where mainline releases between are not in the database: it came, or went, anywhere there.
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_CHROOT)
-- param abi: a system-call table (default: i386)
select
    abi, syscall, privilege, first_release, last_release, open,
    {{gap_before first_ordinal}} as gap_before,
    case when not open then {{gap_after last_ordinal}} end as gap_after
from syscall_asked_runs
where abi = {{abi_or_i386}}
    and privilege = (
        select privilege from asked_privileges
        where asked = coalesce(nullif(lower(trim(:privilege)), ''), 'cap_sys_chroot')
    )
order by syscall, first_ordinal
