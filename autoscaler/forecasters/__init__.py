"""The ways to forecast, from repeating the last value to gradient-boosted quantiles.

Each is a module of its own that keeps the protocol in `gpu_fleet.forecasts`; `registry` knows
their names. Nothing in this package may choose between them or correct their bounds.
"""
