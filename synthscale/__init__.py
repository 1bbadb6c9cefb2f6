"""The front door of the suite: it composes every room's commands and decides nothing itself.

It exists so that one command, `synthscale`, reaches all rooms, and so that exactly one place may
know them all. It must stay cheap to import: no room, no numpy, nothing but its own version.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
