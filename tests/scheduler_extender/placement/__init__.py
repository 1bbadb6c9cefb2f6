"""Tests of placement decisions, by behaviour; they must not read files."""
