"""The extender as a process in a cluster: watches in, answers, events and figures out.

Everything that decides is in `extender` and below it; here it meets sockets, clocks and an API
server, on the chassis that all services share. Nothing here may judge a node or a pod.
"""
