"""How a process of ours lives in a cluster: settings, Kubernetes access, serving, leadership.

A service is its decisions and a thin shell. What every shell needs is written here once: reading
settings, keeping a view by list and watch, serving over TLS 1.3, telling what happens, leading
with others and ending in order. Nothing in this room may decide what a service is for, and it must
not import a service.
"""
