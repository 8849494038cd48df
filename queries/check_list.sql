-- title: The check sites of a release
-- description: Every place in a release where the kernel asks for privilege, with what a missing privilege does there.
-- param release: a release (default: the newest in the database)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: all)
with asked as (
    select asked_releases.release, asked_privileges.privilege
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = lower(trim(coalesce(:privilege, '')))
)
select
    sites.release, sites.path, sites.line, sites.function, sites.check_name, sites.capability,
    sites.argument, sites.form, sites.effect, sites.errno, sites.condition, sites.blob,
    sites.swhid
from check_sites as sites
join asked on sites.release = asked.release
where coalesce(sites.capability, sites.check_name)
    = coalesce(asked.privilege, sites.capability, sites.check_name)
order by sites.path, sites.line
