"""Stored models: believed when they are whole, fresh and ours, refused with the reason else.

Everything here writes below the test's own folder.
"""
