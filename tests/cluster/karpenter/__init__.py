"""A real Karpenter beside the control plane: built from pinned modules, its clouds are KWOK's.

What it decides is what it would decide on a rented fleet; only the machines are played. Nothing in
here may be imported by a room that is shipped, and nothing may decide in Karpenter's stead.
"""
