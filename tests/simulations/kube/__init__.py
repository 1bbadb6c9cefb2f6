"""The model of kube-scheduler: by worked examples of the source, and by decisions of a real one.

Unit tests need nothing; recordings made by a real scheduler are replayed from files.
"""
