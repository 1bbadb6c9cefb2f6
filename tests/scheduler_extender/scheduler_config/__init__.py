"""Tests of the linter of kube-scheduler's configuration."""
