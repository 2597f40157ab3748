#!/bin/bash
# As the official one: refreshes the library cache, then becomes the launcher, arguments unquoted.
ldconfig 2>/dev/null || echo "unable to refresh the library cache"
# shellcheck disable=SC2068
exec text-generation-launcher $@
