"""Reads C: bytes in, facts out. Knows nothing of git, of SQL or of other files."""
