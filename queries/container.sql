-- title: What a container without some capabilities loses
-- description: The syscalls that ask for a capability which a set does not hold, one row for each syscall and capability with its best evidence. The set is `base` without `dropped` and with `added`. Only rows of telling_checks count.
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
lost as (
    select defined.capability
    from capability_definitions as defined
    join asked on defined.release = asked.release
    where instr(asked.added, ',' || defined.capability || ',') = 0
        and (
            instr(asked.dropped, ',' || defined.capability || ',') > 0
            or instr(asked.dropped, ',ALL,') > 0
            or case asked.base
                when 'all' then 0
                when 'none' then 1
                when 'docker' then instr(asked.docker, ',' || defined.capability || ',') = 0
                else instr(asked.named, ',' || defined.capability || ',') = 0
            end
        )
),
ranked as (
    select
        checks.release, checks.abi, checks.syscall, checks.capability, checks.reach,
        checks.effect, checks.errno, checks.function, checks.path, checks.line,
        checks.shared_by,
        count(*) over (partition by checks.syscall, checks.capability) as sites,
        row_number() over (
            partition by checks.syscall, checks.capability
            order by
                case checks.reach when 'direct' then 0 when 'call' then 1 else 2 end,
                checks.shared_by, checks.pointer_hops, checks.depth, checks.path, checks.line
        ) as rank
    from telling_checks as checks
    join asked on checks.release = asked.release and checks.abi = asked.abi
    where checks.capability in (select capability from lost)
)
select
    release, abi, syscall, capability, reach, effect, errno, function, path, line, shared_by, sites
from ranked
where rank = 1
order by
    case reach when 'direct' then 0 when 'call' then 1 else 2 end,
    shared_by, capability, syscall
