"""Two versions that answer the same rows of the same nights: a champion on probation, a challenger in waiting."""
