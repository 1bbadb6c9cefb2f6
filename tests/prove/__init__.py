"""Proofs on real traces at full counts: `make prove`. Figures go to docs/figures.

They must not choose seeds: 42..51 were fixed before the first run, 52..61 were for tuning.
"""
