"""Workflows driven in this process, without a server: thousands of lives a minute, with a crash between any two steps.

The workflow classes and the SDK's workflow instance are production's; `engine.py` does what a server and its worker
would do around them. Our own activities run against a real database, outside systems are scripted.
"""
