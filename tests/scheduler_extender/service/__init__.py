"""The extender as a process between a real kube-scheduler and a real API server.

Nothing here may reach into the process: ports, objects of the cluster, its log and its exit code
are what a test looks at.
"""
