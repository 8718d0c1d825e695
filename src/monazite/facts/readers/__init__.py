"""Readers of official public files: a publisher's table becomes facts, row by row, or is refused."""
