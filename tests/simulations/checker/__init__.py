"""The independent checker: honest runs pass, planted bugs do not."""
