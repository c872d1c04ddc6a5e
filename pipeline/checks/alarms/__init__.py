"""Alarms on a budget: how rare tonight's columns are on nights in which nothing changed, from profiles alone."""
