-- Whether an operation is asked for: a pattern such as TIOC*, or a part between slashes, in any
-- case; all without one. AF_INET asks for PF_INET too, and the other way round.
coalesce(nullif(trim(:operation), ''), '*') = '*'
or replace('/' || lower($1) || '/', '/af_', '/pf_')
    glob '*' || replace('/' || lower(trim(:operation)), '/af_', '/pf_') || '/*'
