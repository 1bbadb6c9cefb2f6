"""Bounds that hold: quantiles are corrected by what came true, and faster after a change.

Nothing in this package may know how a quantile was made, or use what was not yet known.
"""
