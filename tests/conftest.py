"""What every tier shares: the doubles."""

pytest_plugins = ["tests.fakes.fixture"]
