"""Agents on a fleet: tasks are conserved, losses add up, and runs repeat."""
