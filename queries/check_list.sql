-- title: The check sites of a release
-- description: Every place in a release where the kernel asks for privilege, with what a missing privilege does there.
-- param release: a release (default: the newest in the database)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: all)
with asked as (
    select
        coalesce(
            nullif(ltrim(trim(:release), 'vV'), ''),
            (select release from releases order by ordinal desc limit 1)
        ) as release,
        case
            when lower(trim(:privilege)) in ('suser', 'fsuser', 'uid0') then lower(trim(:privilege))
            when coalesce(trim(:privilege), '') = '' then null
            when upper(trim(:privilege)) like 'CAP#_%' escape '#' then upper(trim(:privilege))
            else 'CAP_' || upper(trim(:privilege))
        end as privilege
)
select
    sites.release, sites.path, sites.line, sites.function, sites.check_name, sites.capability,
    sites.argument, sites.form, sites.effect, sites.errno, sites.condition, sites.blob
from check_sites as sites
join asked on sites.release = asked.release
where coalesce(sites.capability, sites.check_name)
    = coalesce(asked.privilege, sites.capability, sites.check_name)
order by sites.path, sites.line
