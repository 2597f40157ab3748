"""A made-up machine in good health, and ways to make it ill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.checkup import Machine, Output
from engine.gpu import HOLDERS_QUERY, QUERY
from engine.repository import Answer
from tests.unit.plan.test_repository import CONFIG

ROOT = Path("/srv/paddock")
MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"
LISTING = b'{"siblings": [{"rfilename": "model.safetensors", "size": 16060522496}]}'
INFO = '{"DockerRootDir": "/var/lib/docker", "Runtimes": {"nvidia": {}, "runc": {}}}'
GPU = "0, NVIDIA GeForce RTX 4090, GPU-4090, 24564, 24100, 8.9, 570.86.15\n"
HEALTHY: dict[tuple[str, ...], Output | None] = {
    ("docker", "version"): Output(0, "28.5.2\n"),
    ("docker", "compose", "version"): Output(0, "2.40.3\n"),
    ("docker", "compose", "--project-directory"): Output(0, ""),
    ("docker", "info"): Output(0, INFO),
    ("docker", "inspect"): Output(1, "Error: No such object"),
    ("docker", "image", "inspect"): Output(1, "Error: No such image: tgi:3"),
    ("nvidia-smi", "--list-gpus"): Output(0, "GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-4090)\n"),
    QUERY: Output(0, GPU),
    HOLDERS_QUERY: Output(0, ""),
    ("nvidia-ctk", "--version"): Output(0, "NVIDIA Container Toolkit CLI version 1.17.8\n"),
}


@dataclass
class Patient:
    """What to change of the healthy machine; commands are matched by their first words."""

    outputs: Mapping[Any, Output | None] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    taken: Mapping[int, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ("libgomp.so.1",)
    free: int = 100_000_000_000
    can_write: bool = True
    python: tuple[int, int] = (3, 12)
    has_venv: bool = True
    flags: tuple[str, ...] = ()
    answer: Answer | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def machine(self) -> Machine:
        """Give the machine as the checks see it."""
        settings = {"MODEL_ID": MODEL, "HF_HOME": "/none", "TGI_IMAGE": "tgi:3"} | dict(self.settings)
        return Machine(
            root=ROOT, settings=settings, python=self.python, has_venv=self.has_venv,
            missing_flags=self.flags, has_card=True, run=self._run, free_bytes=lambda path: self.free,
            can_write=lambda path: self.can_write,
            port_owner=lambda port: self.taken.get(port, ""), ask=self._ask,
            has_library=lambda name: name in self.libraries, read=lambda path: self.files.get(path, ""),
        )

    def _run(self, command: Sequence[str]) -> Output | None:
        words = tuple(command)
        self.asked.append(words)
        table = HEALTHY | dict(self.outputs)
        fitting = [start for start in table if words[: len(start)] == start]
        assert fitting, f"nobody said what {words} answers"
        return table[max(fitting, key=len)]

    def _ask(self, method: str, path: str) -> Answer:
        if self.answer is not None:
            return self.answer
        return Answer(200, "", LISTING if path.startswith("/api/") else CONFIG)
