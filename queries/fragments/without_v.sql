-- A release as the database names it, written with or without v; '' where none is given.
ltrim(trim(coalesce($1, '')), 'vV')
