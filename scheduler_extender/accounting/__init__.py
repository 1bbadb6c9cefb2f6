"""What every node has given out: seen in watches, promised in answers, and what of it to believe.

Pure: facts and the time come in as values. It must not answer a scheduler, and must not ask a
cluster.
"""
