"""Files people keep their meters and keys in, into the registry: all rows or none."""
