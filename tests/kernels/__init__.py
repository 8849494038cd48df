"""Kernels of a few lines of our own C, and repositories of them: what the tests read."""
