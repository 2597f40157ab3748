"""The download job's modules, each alone."""
