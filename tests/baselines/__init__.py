"""Baselines that are not shipped: what ours is compared with, and nobody should run."""
