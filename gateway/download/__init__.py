"""The download job: brings one model of the hub into the cache that TGI reads, complete or not at all."""
