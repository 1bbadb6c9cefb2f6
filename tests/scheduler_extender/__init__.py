"""Tests of the scheduler extender, by behaviour; they must not reach a network."""
