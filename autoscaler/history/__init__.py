"""From samples as they were collected to a series that can be learned from.

Everything that is repaired is marked, and nothing is repaired with what came later. Nothing in
this package may read a file, a server or a clock.
"""
