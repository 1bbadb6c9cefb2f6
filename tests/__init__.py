"""The proofs that the rooms keep their word; never shipped.

Tests stand outside the rooms so that they see what a user sees, and one file tells one behaviour.
Nothing here may be imported by a room.
"""
