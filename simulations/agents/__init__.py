"""A fleet that serves specialised agents: where a task runs decides how long it takes.

Placement protocols count GPUs; here the same policies are judged by what a person who asked
something feels: how long until it is done, and where the GPU-seconds went meanwhile.
This package must not decide where anything runs: that is the policy's, through `Placer`.
"""
