"""The autoscaler: from the history of demand to forecasts with honest bounds, and later to nodes.

Its decisions are pure: history becomes evenly spaced series, forecasters learn from them, bounds
are calibrated by what came true, and models that beat a naive guess share the answer. What
touches a file or a server is in `sources`. Nothing here may delete a node or know the simulator.
"""
