"""Tests of what is installed into a cluster: manifests, certificates made by hand, the image."""
