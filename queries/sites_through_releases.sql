-- title: Check sites through the releases
-- description: Every check site of a file, a function or a privilege, whatever its line, with the unbroken runs of releases that hold it; `open` is 1 for a run that reaches the newest release of the database.
-- param path: a file, from the root of the kernel tree (default: all)
-- param function: the function that holds the check (default: all)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: all)
with asked as (
    select
        nullif(trim(:path), '') as path,
        nullif(trim(:function), '') as function,
        privilege
    from asked_privileges
    where asked = lower(trim(coalesce(:privilege, '')))
)
select
    sites.path, sites.function, sites.check_name, sites.capability, sites.argument, sites.form,
    sites.effect, sites.errno, sites.condition, sites.first_release, sites.last_release, sites.open
from check_site_runs as sites, asked
where coalesce(asked.path, sites.path) = sites.path
    and (asked.function is null or sites.function = asked.function)
    and coalesce(asked.privilege, sites.capability, sites.check_name)
        = coalesce(sites.capability, sites.check_name)
order by sites.path, sites.first_ordinal, sites.function, sites.capability
