"""Fitted models on disk, so that a restart need not learn again. A shell: reads and writes files.

A stored model says what it was learned from, by which code and when; one that is stale, foreign or
damaged is refused with the reason. Nothing is unpickled, for a file may come from anywhere.
"""
