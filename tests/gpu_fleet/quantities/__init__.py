"""Kubernetes quantities: exact, rounded the right way, written back as they came."""
