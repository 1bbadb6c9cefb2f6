"""What the chassis promises to every service, part by part, and the tiny service that shows it.

Unit tests here never wait in real time; tests against real processes poll with a deadline.
"""
