"""What is repaired on the way from samples to a series, and that nothing later is ever used.

Every repair has a file of its own. Nothing here may read a file, but for tests marked `traces`.
"""
