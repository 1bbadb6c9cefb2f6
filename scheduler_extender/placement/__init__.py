"""Placement decisions: score terms, policies, kernels and the score cache.

Pure: a decision is a function of a `ClusterView`, a shape and settings. Nothing here may read a
clock, a file or a socket, or draw at random but by key.
"""
