"""Links the facts of one release by C's rules: facts in, rows out. Knows nothing of git."""
