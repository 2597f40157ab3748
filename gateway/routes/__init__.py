"""HTTP in: each module reads one family of requests and writes its answers."""
