"""The one door to the Kubernetes API, proven on a real API server and on its twin."""
