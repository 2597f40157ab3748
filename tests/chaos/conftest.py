"""The gateway as the tests of tests/gateway start it."""

from tests.gateway.conftest import serve, served

__all__ = ["serve", "served"]
