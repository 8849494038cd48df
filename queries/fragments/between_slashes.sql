-- An operation whose parts all stand between slashes, in small letters, with one spelling of each
-- protocol family: AF_INET and PF_INET are one number.
replace('/' || lower($1) || '/', '/af_', '/pf_')
