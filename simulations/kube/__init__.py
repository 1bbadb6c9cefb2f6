"""The default kube-scheduler of Kubernetes 1.37.2 as a model: what a cluster does without us.

It exists so that a replay can say what today's scheduler would do, and so that a prediction of a
real one can be proved decision by decision.
It must not do I/O, and it must not be used to decide anything in a live service.
"""
