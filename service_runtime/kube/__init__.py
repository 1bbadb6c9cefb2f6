"""The one door to the Kubernetes API: the official client's transport, our own small structs.

A full client model costs 683 microseconds a pod, a struct of the fields we read costs 4, so the
official client gives configuration, authentication and transport, and msgspec does the decoding.
Nothing outside this folder may import `kubernetes`, and nothing in it may decide what an object
means.
"""
