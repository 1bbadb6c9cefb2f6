"""gpu_fleet: the vocabulary of a GPU fleet that all rooms share.

Values (nodes, devices, pods, agents, offerings), the columns of a cluster (`ClusterView`), scores
that explain themselves and the protocols between rooms. Standard library and numpy only.
It does no I/O, owns no clock and no randomness, and decides nothing.
"""
