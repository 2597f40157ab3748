"""Tests of the whole stack, started for real."""
