"""The gateway's settings: the only module that reads the environment.

A variable is its group's prefix plus the field in capitals: GATEWAY_WAIT_LIMIT_SECONDS is
wait_limit_seconds. An empty variable counts as unset, because Compose writes empty ones.
"""

import difflib
import ipaddress
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gateway.prompt import Family

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class SettingsInvalid(Exception):
    """The environment holds wrong values; problems has one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _variable(name: str, default: Any, description: str, prefix: str = "GATEWAY_", **limits: Any) -> Any:
    return Field(default=default, alias=prefix + name, description=description, **limits)


class Settings(BaseModel):
    """What the gateway can be told. Every field is documented in .env.example, which a test checks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = _variable("HOST", "127.0.0.1", "address to listen on")
    port: int = _variable("PORT", 8000, "port to listen on, 0 for any free one", ge=0, le=65_535)
    engine_url: str = _variable(
        "ENGINE_URL", "http://127.0.0.1:8090", "where TGI's wire is spoken; several with commas"
    )
    engine_control_port: int | None = _variable(
        "ENGINE_CONTROL_PORT",
        None,
        "the supervisor's port on the engine's host; unset means none",
        ge=1,
        le=65_535,
    )
    download_file: Path | None = _variable(
        "DOWNLOAD_FILE", None, "where whoever downloads the model tells how far it is"
    )
    site_dir: Path | None = _variable("SITE_DIR", None, "folder of the page; unset serves the API alone")
    slots: int = _variable("SLOTS", 8, "chats that run at once", ge=1, le=4096)
    backlog_limit: int | None = _variable(
        "BACKLOG_LIMIT", None, "chats that may wait; unset means eight per slot", ge=0, le=100_000
    )
    backlog_token_limit: int | None = _variable(
        "BACKLOG_TOKEN_LIMIT",
        None,
        "tokens that waiting chats may ask for in all; unset means 2,048 per chat that may wait",
        ge=1,
    )
    wait_limit_seconds: Seconds = _variable("WAIT_LIMIT_SECONDS", 300.0, "longest wait in the backlog")
    connect_limit_seconds: Seconds = _variable(
        "CONNECT_LIMIT_SECONDS", 5.0, "longest connect to the engine"
    )
    first_token_limit_seconds: Seconds = _variable(
        "FIRST_TOKEN_LIMIT_SECONDS", 120.0, "longest silence before the first token"
    )
    gap_limit_seconds: Seconds = _variable("GAP_LIMIT_SECONDS", 60.0, "longest silence between two tokens")
    stall_limit_seconds: Seconds = _variable(
        "STALL_LIMIT_SECONDS", 45.0, "longest silence of an engine that writes answers"
    )
    total_limit_seconds: Seconds = _variable("TOTAL_LIMIT_SECONDS", 1800.0, "longest generation in all")
    drain_seconds: Seconds = _variable("DRAIN_SECONDS", 30.0, "how long running chats may finish at a stop")
    resume_grace_seconds: Seconds = _variable(
        "RESUME_GRACE_SECONDS", 60.0, "how long a resumable stream goes on without a reader"
    )
    stream_keep_seconds: Seconds = _variable(
        "STREAM_KEEP_SECONDS", 600.0, "how long an ended resumable stream can be read again"
    )
    stream_memory_bytes: int = _variable(
        "STREAM_MEMORY_BYTES", 67_108_864, "what kept streams may take; ended ones make room", ge=1_048_576
    )
    heartbeat_seconds: Seconds = _variable("HEARTBEAT_SECONDS", 15.0, "silence before a comment is sent")
    keys_file: Path | None = _variable(
        "KEYS_FILE", None, "the API keys that scripts/keys writes; unset asks nobody for a key"
    )
    use_file: Path | None = _variable(
        "USE_FILE", None, "where the tokens that keys used today are kept; unset means beside the keys"
    )
    keys_observe_only: bool = _variable(
        "KEYS_OBSERVE_ONLY", False, "count what is over a key's limits and let it pass"
    )
    allowed_hosts: str = _variable(
        "ALLOWED_HOSTS", "", "names this server answers to beside localhost and addresses; with commas"
    )
    trusted_proxies: str = _variable(
        "TRUSTED_PROXIES", "127.0.0.1", "whose X-Forwarded-For is believed, with commas; * for any"
    )
    bind: str = _variable("BIND", "127.0.0.1", "address at which Compose publishes the page", "UI_")
    body_limit_bytes: int = _variable(
        "BODY_LIMIT_BYTES", 2_000_000, "largest request body; TGI's PAYLOAD_LIMIT", ge=1024
    )
    exporter_otlp_endpoint: str | None = _variable(
        "EXPORTER_OTLP_ENDPOINT", None, "where traces go by OTLP over HTTP; unset writes none", "OTEL_"
    )
    temperature: float | None = _variable(
        "TEMPERATURE", None, "temperature when a caller names none", "MODEL_", ge=0, le=2
    )
    top_p: float | None = _variable("TOP_P", None, "top_p when a caller names none", "MODEL_", gt=0, le=1)
    prompt_family: Family | None = _variable(
        "PROMPT_FAMILY", None, "the prompt's format; unset means by the model's id", "MODEL_"
    )

    @field_validator("engine_url")
    @classmethod
    def _plain_http(cls, value: str) -> str:
        urls = [url.strip().rstrip("/") for url in value.split(",")]
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme != "http" or not parts.hostname or parts.path or parts.query:
                raise ValueError("must be http://HOST:PORT, several with commas")
            _ = parts.port  # raises ValueError where the port is no number up to 65535
        return ",".join(urls)

    @field_validator("allowed_hosts")
    @classmethod
    def _plain_names(cls, value: str) -> str:
        for name in filter(None, map(str.strip, value.split(","))):
            if not _HOST_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name: without http://, port or *, several with commas")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for one in filter(None, map(str.strip, value.split(","))):
            try:
                _ = one == "*" or ipaddress.ip_network(one)
            except ValueError:
                raise ValueError(f"{one!r} is no address, no network and not *") from None
        return value

    @field_validator("site_dir")
    @classmethod
    def _existing(cls, value: Path | None) -> Path | None:
        if value is not None and not (value / "index.html").is_file():
            raise ValueError(f"{value} has no index.html")
        return value

    @field_validator("exporter_otlp_endpoint")
    @classmethod
    def _can_trace(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
        if value is not None and find_spec("opentelemetry.sdk") is None:
            raise ValueError("needs the packages of requirements/trace.txt, which are not installed")
        return value

    @field_validator("keys_file")
    @classmethod
    def _present_keys(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _closed_or_keyed(self) -> "Settings":
        # In a container every address is listened on, and UI_BIND says what is published.
        bind = self.bind if "bind" in self.model_fields_set else self.host
        if self.keys_file is None and not _is_loopback(bind):
            raise ValueError(
                f"{bind} opens this server to a network: set GATEWAY_KEYS_FILE to a file of scripts/keys"
            )
        return self

    @property
    def host_names(self) -> frozenset[str]:
        """Give the names that this server answers to."""
        return frozenset(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def engine_urls(self) -> list[str]:
        """Give the engines' URLs, one by one."""
        return self.engine_url.split(",")

    @property
    def backlog_bound(self) -> int:
        """Give the number of chats that may wait: the setting, or eight per slot.

        Eight waves of the slots: with answers of 10 to 30 s the last in line waits one to four
        minutes, which the wait limit of five minutes still allows.
        """
        return self.slots * 8 if self.backlog_limit is None else self.backlog_limit

    @property
    def backlog_token_bound(self) -> int:
        """Give the number of tokens that may wait: the setting, or 2,048 per chat that may.

        Twice a usual chat (a prompt of some hundred tokens, an answer of up to 1,024), so that the
        bound in chats is met first unless prompts are long.
        """
        return self.backlog_bound * 2048 if self.backlog_token_limit is None else self.backlog_token_limit


# MODEL_ and ENGINE_ variables are shared with the engine, so only our own prefix is checked for typos.
_OWN_PREFIX = "GATEWAY_"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    Raises: SettingsInvalid with every problem at once.
    """
    aliases = {str(field.alias): name for name, field in Settings.model_fields.items()}
    given = {key: value for key, value in environment.items() if key in aliases and value.strip() != ""}
    problems: list[str] = []
    settings = None
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems.extend(
            (f"{issue['loc'][0]}={given[str(issue['loc'][0])]!r}: " if issue["loc"] else "")
            + issue["msg"].removeprefix("Value error, ")
            for issue in error.errors()
        )
    if problems or settings is None:
        raise SettingsInvalid(problems)
    return settings


def strangers(environment: Mapping[str, str]) -> list[str]:
    """Write a sentence for each variable that looks like a setting and is none.

    No reason to refuse: it may be another program's, such as CGI's GATEWAY_INTERFACE.
    """
    aliases = {str(field.alias) for field in Settings.model_fields.values()}
    given = [key for key, value in environment.items() if key not in aliases and value.strip() != ""]
    return [_unknown(key, aliases) for key in sorted(given) if key.startswith(_OWN_PREFIX)]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unknown(key: str, aliases: set[str]) -> str:
    near = difflib.get_close_matches(key, sorted(aliases), n=1)
    return f"{key} is no setting of Paddock" + (f"; did you mean {near[0]}?" if near else "")
