-- An operation with one spelling of each protocol family: AF_INET and PF_INET are one number, and
-- releases write now this, now that.
substr(replace('/' || $1, '/AF_', '/PF_'), 2)
