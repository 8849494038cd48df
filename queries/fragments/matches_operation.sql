-- Whether an operation is asked for: a pattern such as TIOC*, or a part between slashes, in any
-- case; all without one.
coalesce(nullif(trim(:operation), ''), '*') = '*'
or lower($1) glob lower(trim(:operation))
or '/' || lower($1) || '/' glob '*/' || lower(trim(:operation)) || '/*'
