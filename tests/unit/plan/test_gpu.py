"""What nvidia-smi says, read."""

from engine.gpu import MIB, Gpu, Holder, read_gpus, read_holders


def test_a_row_is_a_gpu() -> None:
    """Memory comes in MiB, the capability as major and minor."""
    assert read_gpus("1, NVIDIA H200, GPU-a1, 143771, 143140, 9.0, 580.95.05\n") == [
        Gpu(1, "NVIDIA H200", "GPU-a1", 143_771 * MIB, 143_140 * MIB, (9, 0), "580.95.05")
    ]


def test_what_a_card_does_not_tell_counts_as_nothing() -> None:
    """Old drivers know no capability, and some cards share the machine's memory."""
    (gpu,) = read_gpus("0, NVIDIA GB10, GPU-b2, [N/A], [N/A], [N/A], 580.95.05\n")
    assert (gpu.total, gpu.free, gpu.capability) == (0, 0, (0, 0))


def test_messages_are_no_gpus() -> None:
    """nvidia-smi explains its failures on the same channel."""
    assert read_gpus("NVIDIA-SMI has failed because it could not communicate with the driver.\n") == []
    assert read_gpus("No devices were found\n") == []


def test_holders_of_memory() -> None:
    """A name may hold a comma, and in containers the size is not told."""
    text = "GPU-a1, 7, /usr/bin/python, 512\nGPU-a1, 8, python, train.py, [N/A]\n\n"
    assert read_holders(text) == [
        Holder("GPU-a1", 7, "/usr/bin/python", 512 * MIB), Holder("GPU-a1", 8, "python, train.py", None),
    ]
