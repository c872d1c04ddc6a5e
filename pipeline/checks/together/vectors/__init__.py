"""Columns of lists of numbers, such as embeddings, each looked at as a whole: its mean, its plane, and a classifier.

`lists` reads them, `moments` sums all rows up, `principal` holds both sides against the reference's principal
components, and `measure` says how rare that is.
"""

from pipeline.checks.together.vectors.measure import MOST_VECTORS, measure_vectors, vector_names

__all__ = ["MOST_VECTORS", "measure_vectors", "vector_names"]
