"""A real Kubernetes for the tests: built from pinned Go modules, started in seconds, left nowhere.

Every service is tested against it from its first line. Nothing in here may be imported by a room
that is shipped, and nothing in here may skip a test because a part is missing.
"""
