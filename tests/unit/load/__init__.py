"""Tests of tests/load."""
