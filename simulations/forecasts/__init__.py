"""What forecasts would have been worth: plans of a walk through history, and figures about it.

Forecasting itself is `autoscaler`'s; here its answers are put beside what came. Nothing in this
package may read a file or a clock, or forecast by itself.
"""
