"""Doubles that tests put in place of real software."""
