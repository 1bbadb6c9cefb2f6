"""How fast the extender is where it counts: at a Go client, and beside a real kube-scheduler.

It is apart from `tests/bench` because it builds Go programs and starts a control plane. Nothing
here is a test: a figure taken on a busy machine is told as such and fails nobody's build.
"""
