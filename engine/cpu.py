"""What the llama.cpp wheel needs of the machine, checked before it is imported.

An instruction the processor lacks would end the process with SIGILL and no word; a missing
library gives a loader message that names no package. Both are known beforehand.

Knows: the wheel's compile flags and its dynamic libraries.
Knows nothing of: models, settings.
"""

import ctypes
from collections.abc import Callable

from engine.errors import EXIT_MACHINE, StartRefused

# Compiled into the x86 wheel, as llama.cpp's own system report says of it.
_NEEDED_FLAGS = ("avx", "avx2", "fma", "f16c", "bmi2")
_X86 = frozenset({"x86_64", "amd64", "i686", "i386"})
# Needed by the wheel and not in it. Slim images lack the first.
_NEEDED_LIBRARIES = (("libgomp.so.1", "libgomp1"), ("libstdc++.so.6", "libstdc++6"))


def missing_flags(architecture: str, cpuinfo: str) -> list[str]:
    """List the needed instruction sets that a /proc/cpuinfo text does not name.

    A text without any flags line proves nothing (some sandboxes hide it), so nothing is missing then.
    """
    if architecture.lower() not in _X86:
        return []
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            present = set(value.split())
            return [flag for flag in _NEEDED_FLAGS if flag not in present]
    return []


def check_cpu(architecture: str, cpuinfo: str) -> None:
    """Refuse a processor that would die on the wheel's first instruction.

    Raises: StartRefused naming what is missing.
    """
    missing = missing_flags(architecture, cpuinfo)
    if missing:
        names = ", ".join(flag.upper() for flag in missing)
        raise StartRefused(
            EXIT_MACHINE,
            f"This processor lacks {names}, which the embedded engine needs; "
            "use a machine with AVX2 (Intel since 2013, AMD since 2015) or a TGI server elsewhere.",
        )


def check_libraries(load: Callable[[str], object] = ctypes.CDLL) -> None:
    """Refuse a Linux system without the libraries that the wheel leaves to the system.

    Raises: StartRefused naming the Debian package.
    """
    for library, package in _NEEDED_LIBRARIES:
        try:
            load(library)
        except OSError:
            raise StartRefused(
                EXIT_MACHINE,
                f"The system library {library} is missing; on Debian or Ubuntu: apt-get install {package}.",
            ) from None
