"""The HTTPS chassis, met by real OpenSSL clients over real sockets, some of them hostile.

Certificates are real ones; the API server that reviews tokens is a fake at our own seam, and a real
one where the control plane runs.
"""
