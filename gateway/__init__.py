"""Paddock's gateway: prompt, admission, streams, stats and metrics in front of a TGI wire."""
