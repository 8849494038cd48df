-- title: The capabilities of a set, and what asks for them
-- description: Every capability that a release defines or a set holds: `held` is 1 for those in the set, which is `base` without `dropped` and with `added`; `number` is NULL where the release does not define it. Then how many check sites of the release ask for it, and how many syscalls do, and how many of these only in code that many share (`shared`).
-- param base: docker (what Docker leaves a container), all, none, or capabilities separated by commas (default: docker)
-- param dropped: capabilities separated by commas, or all (default: none)
-- param added: capabilities separated by commas (default: none)
-- param release: a release (default: the newest in the database)
-- param abi: the system-call table whose syscalls are counted (default: i386, from 3.0 on x86_64)
with recursive asked as (
    -- DefaultCapabilities of moby's oci/caps/defaults.go.
    select
        case coalesce(lower(trim(:base)), '')
            when '' then 'docker'
            else lower(trim(:base))
        end as base,
        upper(replace(coalesce(:base, ''), ' ', '')) as named,
        ',' || upper(replace(coalesce(:dropped, ''), ' ', '')) || ',' as dropped,
        upper(replace(coalesce(:added, ''), ' ', '')) as added,
        'CAP_AUDIT_WRITE,CAP_CHOWN,CAP_DAC_OVERRIDE,CAP_FOWNER,CAP_FSETID,CAP_KILL,CAP_MKNOD,'
        || 'CAP_NET_BIND_SERVICE,CAP_NET_RAW,CAP_SETFCAP,CAP_SETGID,CAP_SETPCAP,CAP_SETUID,'
        || 'CAP_SYS_CHROOT' as docker
),
target as (
    select release, ordinal, coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
),
defined as (
    select capability, number from capability_definitions
    where release = (select release from target)
),
-- The names of a list, one by one: what is before its first comma, then the rest.
basis as (
    select
        '' as capability,
        case base when 'all' then '' when 'none' then '' when 'docker' then docker else named end
        || ',' as rest
    from asked
    union all
    select substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1)
    from basis
    where rest <> ''
),
additions as (
    select '' as capability, added || ',' as rest from asked
    union all
    select substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1)
    from additions
    where rest <> ''
),
held as (
    select kept.capability
    from (
        select capability from basis
        union
        select capability from defined where (select base from asked) = 'all'
    ) as kept, asked
    where instr(asked.dropped, ',' || kept.capability || ',') = 0
        and instr(asked.dropped, ',ALL,') = 0
    union
    select capability from additions
),
sites as (
    select runs.capability, count(*) as sites
    from check_site_runs as runs
    join target on target.ordinal between runs.first_ordinal and runs.last_ordinal
    where runs.capability is not null
    group by runs.capability
),
{{reached_capabilities target}}
select
    target.release,
    names.capability,
    defined.number,
    names.capability in (select capability from held) as held,
    coalesce(sites.sites, 0) as sites,
    coalesce(reached.syscalls, 0) as syscalls,
    coalesce(reached.shared, 0) as shared
from target, (select capability from defined union select capability from held) as names
left join defined on defined.capability = names.capability
left join sites on sites.capability = names.capability
left join reached on reached.capability = names.capability
where names.capability <> ''
order by defined.number is null, defined.number, names.capability
