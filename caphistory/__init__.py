"""caphistory: which syscalls check which privilege, in which Linux release, where, since when."""

__version__ = "0.1.0"
