"""The engine's settings, read once from environment variables.

Knows: names, defaults, ranges; that an empty value means unset.
Knows nothing of: models, files, the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EXIT_SETTINGS, StartRefused


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may choose about the engine.

    Units:  drain_seconds in seconds; max_total_tokens counts prompt and answer together, None = the model's;
            threads None = chosen for the model and the machine.
    cache:  the folder of the Hugging Face libraries.
    """

    model_path: str | None = None
    model_id: str | None = None
    host: str = "127.0.0.1"
    port: int = 8090
    slots: int = 8
    threads: int | None = None
    max_total_tokens: int | None = None
    max_concurrent_requests: int = 128
    drain_seconds: float = 30.0
    is_offline: bool = False
    cache: Path = Path("~/.cache/huggingface")
    model_revision: str | None = None


class _Reader:
    """Takes values from a mapping and collects every problem instead of stopping at the first."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str | None:
        value = self._environ.get(name, "").strip()
        return value or None

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            self.problems.append(f"{name} must be a whole number from {low} to {high}, not {text!r}")
            return default
        return int(text)

    def seconds(self, name: str, default: float, high: float) -> float:
        text = self.text(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= high:
            self.problems.append(f"{name} must be a number of seconds from 0 to {high:g}, not {text!r}")
            return default
        return value

    def switch(self, name: str) -> bool:
        # The Hugging Face libraries accept these spellings for their own switches.
        return (self.text(name) or "").upper() in {"1", "ON", "YES", "TRUE"}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment.

    Raises: StartRefused naming every wrong variable at once.
    """
    read = _Reader(environ)
    longest = read.integer("ENGINE_MAX_TOTAL_TOKENS", 0, 16, 1_048_576)
    default = Settings()
    settings = Settings(
        model_path=read.text("MODEL_PATH"),
        model_id=read.text("MODEL_ID"),
        model_revision=read.text("MODEL_REVISION"),
        host=read.text("ENGINE_HOST") or default.host,
        port=read.integer("ENGINE_PORT", default.port, 0, 65535),
        # The gateway's dial where the engine has none of its own, under the name that was set.
        slots=read.integer(
            "ENGINE_SLOTS" if read.text("ENGINE_SLOTS") else "GATEWAY_SLOTS", default.slots, 1, 256
        ),
        threads=read.integer("ENGINE_THREADS", 0, 1, 1024) or None,
        max_total_tokens=longest or None,
        max_concurrent_requests=read.integer(
            "ENGINE_MAX_CONCURRENT_REQUESTS", default.max_concurrent_requests, 1, 100_000
        ),
        drain_seconds=read.seconds("ENGINE_DRAIN_SECONDS", default.drain_seconds, 86_400.0),
        is_offline=read.switch("HF_HUB_OFFLINE"),
        cache=Path(read.text("HF_HOME") or default.cache),
    )
    if read.problems:
        raise StartRefused(EXIT_SETTINGS, "\n".join(read.problems))
    return settings
