"""A real Prometheus and its promtool: built from pinned modules, fed with what a test made up.

Rules, queries and alerts are evaluated by the program that an operator runs. Nothing in here may be
imported by a room that is shipped, and nothing may evaluate in Prometheus' stead.
"""
