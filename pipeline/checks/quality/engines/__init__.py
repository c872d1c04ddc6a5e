"""Evaluates expectations: in DuckDB where that means the same as in pandas, else in pandas."""
