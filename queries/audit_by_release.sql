-- title: How completely each release was read
-- description: For each release, how many times the name of a check occurs outside comments and strings and what each occurrence is; `unexplained` is what nobody could account for. Then the functions found, those whose syntax tree holds an error, and the calls through pointers with how many of them have a target by type.
-- param release: a release (default: all)
select
    audit.release, audit.lexical, audit.calls, audit.macros, audit.definitions,
    audit.declarations, audit.unexplained, audit.functions, audit.parse_errors,
    audit.pointer_calls, audit.pointer_calls_resolved
from audit
join releases on releases.release = audit.release
where coalesce(nullif(ltrim(trim(:release), 'vV'), ''), audit.release) = audit.release
order by releases.ordinal
