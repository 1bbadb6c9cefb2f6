"""Score terms: each says what one kind of loss a pod would cause on each node.

All of them answer in micro-GPU-seconds lost, so that they can be added without weights.
A term must not read another term, and must not draw at random.
"""
