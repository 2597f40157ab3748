"""Tests of compose.yaml in real containers."""
