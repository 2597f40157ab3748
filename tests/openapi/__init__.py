"""Tests of the gateway as a server, against engines on loopback that do as they are told."""
