"""Interleavings of everything that may happen to an extender, judged by a reality of its own."""
