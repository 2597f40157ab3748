"""The download job as a real process, against a hub on loopback."""
