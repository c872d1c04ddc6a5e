"""Worked examples. Nothing in `pipeline` needs them."""
