"""Mails and chat messages, and handing them to servers."""
