"""Columns together and in pairs: each can look right, and all be wrong together. See docs/together.md."""
