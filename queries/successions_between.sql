-- title: What became of each check
-- description: Every check site of the earlier of two releases and what became of it in the later one, and the sites that are new there. Stored are neighbouring releases, and the last 2.0 with the last 2.2; `caphistory transition --sites` compares any two. `certain` is 0 where the code around a check allows another reading.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
-- param fate: same, replaced, split, merged, moved, removed, gone or new (default: all)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0, asked for before or after (default: all)
with asked as (
    select
        {{asked_ends}},
        nullif(lower(trim(:fate)), '') as fate,
        privilege
    from asked_privileges
    where asked = lower(trim(coalesce(:privilege, '')))
),
-- Each half of the view joined by itself: of their union SQLite would make all pairs first.
found as (
    select successions_changed.*
    from asked
    join successions_changed
        on successions_changed.from_release = asked.from_release
        and successions_changed.to_release = asked.to_release
    union all
    select successions_kept.*
    from asked
    join successions_kept
        on successions_kept.from_release = asked.from_release
        and successions_kept.to_release = asked.to_release
)
select found.*
from found, asked
where coalesce(asked.fate, found.fate) = found.fate
    and (
        asked.privilege is null
        or asked.privilege in (found.check_before, found.capability_before)
        or asked.privilege in (found.check_after, found.capability_after)
    )
order by
    coalesce(path_before, path_after), path_before is null, line_before, path_after, line_after
