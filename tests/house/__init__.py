"""The laws of the house as tests: who may import what, what is shipped, what the screen says.

They hold for every room alike and for rooms that do not exist yet, so they walk the tree instead
of naming modules. They must not test what a room computes.
"""
