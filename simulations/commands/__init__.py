"""The commands a planner types: options in, tables, JSON, logs and reports out.

Shell only: a command reads files, hands values to an experiment, and writes what came of it.
"""
