"""The commands as a planner meets them, through the front door."""
