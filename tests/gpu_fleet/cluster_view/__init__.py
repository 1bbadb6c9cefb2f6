"""The cluster view: what is free where, after anything that can happen to a fleet."""
