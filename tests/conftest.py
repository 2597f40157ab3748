"""What every tier shares: the doubles, and how examples are drawn."""

from hypothesis import settings

pytest_plugins = ["tests.fakes.fixture"]

# The library's own for machines that nobody watches: from the test's name, and without a limit of time.
settings.load_profile("ci")
