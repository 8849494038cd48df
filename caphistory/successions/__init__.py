"""What became of each check from one release to another."""
