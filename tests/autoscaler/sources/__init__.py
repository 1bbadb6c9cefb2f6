"""Where history comes from: files and Prometheus, and what is said of those that cannot be used.

Files are real files, and servers real servers on this machine. Nothing here may judge a repair.
"""
