-- The syscall, privilege and release that a question about chains means, and the table it means.
asked as (
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
