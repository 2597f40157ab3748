"""Many clients and an engine that misbehave at once, through the real gateway."""
