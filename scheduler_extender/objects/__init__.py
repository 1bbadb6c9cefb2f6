"""What Kubernetes says, as the fleet's own values: nodes, pods, and the GPU parts people ask for.

The live extender reads watches and requests through it, the simulator reads saved clusters through
it, so both mean the same by the same pod. It must not decide where a pod goes.
"""
