"""Benchmarks: ratios measured in one run against a named baseline; they are not timed tests."""
