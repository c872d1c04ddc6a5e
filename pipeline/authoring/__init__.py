"""A first monitor file and its suite, from the data; what a person changed in them stays."""
