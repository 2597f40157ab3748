"""Tests of the gateway's modules, each alone: no network, no sleeps, clocks passed in."""
