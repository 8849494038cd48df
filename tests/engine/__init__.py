"""Tests of the engine: bytes of C go in, facts or the rows of a release come out.

``adapters`` is the only module here that knows which reader is behind it.
"""
