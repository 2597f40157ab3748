"""The page in a real Chromium: against a scripted gateway for faults, against the real stack for truth."""
