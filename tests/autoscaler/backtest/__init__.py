"""Walking through history: retraining, choosing, and never looking ahead.

The forecasters are real ones, or tiny ones that a test can reason about.
"""
