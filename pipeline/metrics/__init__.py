"""Metrics of a model: their formulas, their intervals, and counts from which several nights are measured together."""
