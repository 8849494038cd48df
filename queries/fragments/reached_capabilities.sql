-- How many syscalls ask for each capability, in the release and table of $1.
reached as (
    select
        runs.privilege as capability,
        count(*) filter (where {{is_told runs.standing}}) as syscalls,
        count(*) filter (where runs.standing = 'shared') as shared
    from syscall_privilege_runs as runs
    join $1 on runs.abi = $1.abi
        and $1.ordinal between runs.first_ordinal and runs.last_ordinal
    group by runs.privilege
)
