"""Leadership tested three ways: the machine by table, the loop in a simulated world, and for real.

The simulated world runs the very `Elector` that ships, on virtual time. Nothing here may sleep in
real time, except where a test waits for a real API server.
"""
