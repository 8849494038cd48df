-- title: Which two releases are compared
-- description: The two releases that the question “What changed between two releases” compares, also where nothing changed between them.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
select from_release as "from", to_release as "to"
from (
    select
        {{asked_ends}}
)
