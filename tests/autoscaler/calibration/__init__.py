"""Corrected bounds: that they hold, come back after a change, and never use what is to come.

The series are made up by seed, so that what is right is known.
"""
