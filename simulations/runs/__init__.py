"""How experiments run: many at once, with progress, and with results that are whole or absent.

This is shell: processes, terminals and files live here. It decides nothing about placement.
"""
