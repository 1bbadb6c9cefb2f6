"""The behaviour of the autoscaler: history, forecasts, calibration, choice.

Nothing here may need a trace that is not in the repository, unless it is marked `traces`.
"""
