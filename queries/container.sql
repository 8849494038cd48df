-- title: What a container without some capabilities loses
-- description: The own and shared requirements that a set of capabilities does not meet: what each syscall can no longer do, by operation, with what happens instead. What one of `instead` saves, which the set holds, is not lost. The set is `base` without `dropped` and with `added`.
-- param base: docker (what Docker leaves a container), all, none, or capabilities separated by commas (default: docker)
-- param dropped: capabilities separated by commas, or all (default: none)
-- param added: capabilities separated by commas (default: none)
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with asked as (
    -- DefaultCapabilities of moby's oci/caps/defaults.go.
    select
        case coalesce(lower(trim(:base)), '')
            when '' then 'docker'
            else lower(trim(:base))
        end as base,
        ',' || upper(replace(coalesce(:base, ''), ' ', '')) || ',' as named,
        ',' || upper(replace(coalesce(:dropped, ''), ' ', '')) || ',' as dropped,
        ',' || upper(replace(coalesce(:added, ''), ' ', '')) || ',' as added,
        ',CAP_AUDIT_WRITE,CAP_CHOWN,CAP_DAC_OVERRIDE,CAP_FOWNER,CAP_FSETID,CAP_KILL,CAP_MKNOD,'
        || 'CAP_NET_BIND_SERVICE,CAP_NET_RAW,CAP_SETFCAP,CAP_SETGID,CAP_SETPCAP,CAP_SETUID,'
        || 'CAP_SYS_CHROOT,' as docker,
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
),
-- Materialised, both: SQLite would else decide anew for each requirement.
defined as materialized (
    select
        capability,
        instr(added, ',' || capability || ',') > 0
        or (
            instr(dropped, ',' || capability || ',') = 0
            and instr(dropped, ',ALL,') = 0
            and case base
                when 'all' then 1
                when 'none' then 0
                when 'docker' then instr(docker, ',' || capability || ',') > 0
                else instr(named, ',' || capability || ',') > 0
            end
        ) as held
    from capability_definitions
    join asked using (release)
),
-- Those names rather than a condition on each row: by them few rows of other releases are read.
wanted as materialized (
    select distinct syscall from syscalls
    where release = (select release from asked)
        and abi = (select abi from asked)
),
found as (
    select requirements.*
    from requirements
    where release = (select release from asked)
        and abi = (select abi from asked)
        and syscall in (select syscall from wanted)
        and privilege in (select capability from defined where not held)
        and {{is_told standing}}
)
select
    {{requirement_columns}}
from found
where not exists (
    select 1 from defined
    where held and instr(found.instead, '"' || defined.capability || '"') > 0
)
order by
    {{standing_order}}, capability, syscall, operation, path, line
