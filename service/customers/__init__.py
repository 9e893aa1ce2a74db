"""The customers' side: who may see what, their consumption as data, and its forms."""
