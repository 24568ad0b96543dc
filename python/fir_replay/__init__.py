"""Runs recorded calls of Python functions again, for a parent process that compares what they return."""
