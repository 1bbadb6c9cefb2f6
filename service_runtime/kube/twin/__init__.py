"""An API server in memory, for tests and for simulations that speak the same protocol.

It lists in pages, watches with bookmarks, keeps versions and owners of fields, and forgets its
history, because those are the parts that services get wrong. It passes the contract suite that
the real API server passes; it must not grow admission, defaulting, validation or garbage
collection, which are tested on the real one.
"""

from service_runtime.kube.twin.server import Twin

__all__ = ["Twin"]
