-- title: The functions that only pass a check on
-- description: The wrappers of a release. A `fixed` one stands for the privilege in its row and its calls are check sites; a `plumbing` one hands its parameter number `parameter` (from 0) on.
-- param release: a release (default: the newest in the database)
select release, name, kind, check_name, capability, parameter, path, line
from wrappers
where release = (
    select release from asked_releases
    where asked = {{without_v :release}}
)
order by name, capability
