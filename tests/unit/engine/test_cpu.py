"""What is checked before the wheel is imported."""

import pytest

from engine.cpu import check_cpu, check_libraries, missing_flags
from engine.errors import EXIT_MACHINE, StartRefused

MODERN = "processor\t: 0\nflags\t\t: fpu sse4_2 avx f16c fma avx2 bmi1 bmi2\n"
OLD = "processor\t: 0\nflags\t\t: fpu sse4_2 avx f16c\n\nprocessor\t: 1\nflags\t\t: avx2 fma bmi2 avx f16c\n"


def test_a_modern_processor_passes() -> None:
    """Every needed flag is there."""
    check_cpu("x86_64", MODERN)

    assert [] == missing_flags("x86_64", MODERN)


def test_an_old_processor_is_refused_by_name() -> None:
    """The sentence names what is missing, and what would do."""
    with pytest.raises(StartRefused) as caught:
        check_cpu("AMD64", OLD)

    assert EXIT_MACHINE == caught.value.exit_code
    assert (
        "This processor lacks AVX2, FMA, BMI2, which the embedded engine needs; "
        "use a machine with AVX2 (Intel since 2013, AMD since 2015) or a TGI server elsewhere."
    ) == caught.value.sentence


@pytest.mark.parametrize(("architecture", "cpuinfo"), [("aarch64", "Features : fp asimd\n"), ("x86_64", "")])
def test_what_cannot_be_judged_passes(architecture: str, cpuinfo: str) -> None:
    """Other architectures have no such flags, and some sandboxes hide them."""
    assert [] == missing_flags(architecture, cpuinfo)


def test_a_missing_library_names_its_package() -> None:
    """Slim images lack libgomp."""

    def load(name: str) -> None:
        if name == "libgomp.so.1":
            raise OSError(name)

    with pytest.raises(StartRefused) as caught:
        check_libraries(load)

    assert EXIT_MACHINE == caught.value.exit_code
    assert (
        "The system library libgomp.so.1 is missing; on Debian or Ubuntu: apt-get install libgomp1."
    ) == caught.value.sentence


def test_both_libraries_are_tried() -> None:
    """Nothing else is loaded."""
    tried: list[str] = []
    check_libraries(tried.append)

    assert ["libgomp.so.1", "libstdc++.so.6"] == tried
