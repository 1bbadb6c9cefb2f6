"""The discrete-event twin of a GPU fleet: clusters, control loops, queues, money.

It exists so that the policies which run against a live cluster can be proved offline,
with the very same code objects.
It must not decide anything by itself: policies come from the rooms below it.

This package imports nothing by itself, so that `import simulations.engine` costs the engine alone.
"""
