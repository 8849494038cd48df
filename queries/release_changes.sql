-- title: What changed in a release
-- description: The syscalls that check something else than in the release before: the one before it in its series, or for the first of a series the one it branched from. `before` and `after` are empty where nothing is checked and NULL where it is no syscall. What only changes its standing does not count (see syscall_asked_runs). `missing` counts the mainline releases between the two that are not in the database: what changed came in any of them.
-- param release: a release (default: all)
-- param abi: a system-call table (default: i386)
select
    transitions.abi, transitions.syscall, transitions.from_release, transitions.to_release,
    transitions.before, transitions.after, neighbours.missing
from transitions
join neighbours on neighbours.to_release = transitions.to_release
where transitions.to_release
    = coalesce(nullif({{without_v :release}}, ''), transitions.to_release)
    and transitions.abi = {{abi_or_i386}}
order by
    (select ordinal from releases where release = transitions.to_release), transitions.syscall
