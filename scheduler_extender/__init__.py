"""scheduler_extender: answers kube-scheduler, which node is best for this pod and why.

`placement` holds the decisions, which the simulator and what-ifs run as the same objects.
"""
