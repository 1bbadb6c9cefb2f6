"""Answers to a planner's questions: what still fits, and what is the cheapest set of nodes.

Pure: an answer is a function of a fleet, a workload and a price list. Nothing here may read a file,
a clock or a terminal; `simulations.commands.capacity_fit` and `capacity_size` do that.
"""
