-- title: Find a syscall, capability, function, file or release by a part of its name
-- description: Every name that holds the text, in any case: syscalls, capabilities and root checks, releases, and the functions and files that hold check sites. `first_release` and `last_release` say where a check site or syscall is found first and last; exact names come first.
-- param text: a part of a name (default: chroot)
with asked as (
    select
        coalesce(
            nullif(lower(replace(trim(:text), '()', '')), ''), 'chroot'
        ) as text
),
named as (
    select 'syscall' as kind, syscall as name, first_ordinal, last_ordinal
    from syscall_timeline
    union all
    select 'privilege', coalesce(capability, check_name), first_ordinal, last_ordinal
    from check_site_runs
    union all
    select 'privilege', defined.capability, releases.ordinal, releases.ordinal
    from capability_definitions as defined
    join releases on releases.release = defined.release
    union all
    select 'release', release, ordinal, ordinal from releases
    union all
    select 'function', function, first_ordinal, last_ordinal
    from check_site_runs where function is not null
    union all
    select 'file', path, first_ordinal, last_ordinal from check_site_runs
),
found as (
    select
        named.kind, named.name,
        min(named.first_ordinal) as first_ordinal, max(named.last_ordinal) as last_ordinal
    from named, asked
    where instr(lower(named.name), asked.text) > 0
        -- What user space calls setgid is sys_setgid in the kernel, and people write either.
        or (
            named.kind = 'syscall' and asked.text like 'sys#_%' escape '#'
            and instr(lower(named.name), substr(asked.text, 5)) > 0
        )
        or (
            named.kind = 'release' and asked.text like 'v%'
            and named.name = substr(asked.text, 2)
        )
    group by named.kind, named.name
)
select
    found.kind,
    found.name,
    (select release from releases where ordinal = found.first_ordinal) as first_release,
    (select release from releases where ordinal = found.last_ordinal) as last_release
from found, asked
order by
    case found.kind
        when 'syscall' then 0 when 'privilege' then 1 when 'release' then 2
        when 'function' then 3 else 4
    end,
    lower(found.name) not in (
        asked.text, 'cap_' || asked.text, ltrim(asked.text, 'v'), replace(asked.text, 'sys_', '')
    ),
    case when found.kind = 'release' then found.first_ordinal end,
    found.name
