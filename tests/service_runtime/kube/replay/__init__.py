"""A recorded list of a large cluster, served over TLS and synced by the real client.

Both ends are processes of their own, so that the memory measured is that of a service alone.
"""
