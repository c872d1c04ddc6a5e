"""How a model is trained again: assemble, train, judge, register, promote, roll back. See docs/retraining.md."""
