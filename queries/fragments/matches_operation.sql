-- Whether an operation is asked for: a glob pattern such as TIOC*, in any case; all without one.
coalesce(nullif(trim(:operation), ''), '*') = '*' or lower($1) glob lower(trim(:operation))
