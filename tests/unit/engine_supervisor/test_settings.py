"""What is read from the environment, and the command and environment that the launcher gets."""

from pathlib import Path

import pytest

from engine.supervisor import (
    FLAGS,
    LAUNCHER,
    SettingsWrong,
    launcher_command,
    launcher_environment,
    read_settings,
    strangers,
)

NO_FILE = Path("/no/such/entrypoint")


def test_only_settings_that_say_something_become_flags() -> None:
    """An empty or blank variable is no flag, so that TGI never takes it for a value."""
    environ = {"MODEL_ID": "org/name", "MODEL_REVISION": "", "QUANTIZE": " ", "NUM_SHARD": "2"}

    assert (LAUNCHER, "--port", "80", "--model-id", "org/name", "--num-shard", "2") == launcher_command(
        environ, 80, NO_FILE)


def test_every_setting_reaches_the_launcher() -> None:
    """Each variable of the table becomes its flag; the revision is MODEL_REVISION, not REVISION."""
    environ = {name: f"value-of-{name}" for name in FLAGS} | {"REVISION": "other"}

    words = launcher_command(environ, 80, NO_FILE)

    assert {flag: f"value-of-{name}" for name, flag in FLAGS.items()} == dict(
        zip(words[3::2], words[4::2], strict=True))
    assert ("--revision", "--kv-cache-dtype") == (FLAGS["MODEL_REVISION"], FLAGS["KV_CACHE_DTYPE"])


def test_extra_arguments_are_split_as_a_shell_would() -> None:
    """Quotes in TGI_ARGS keep words together."""
    words = launcher_command({"TGI_ARGS": "--cuda-graphs 0 --lora-adapters 'a b'"}, 80, NO_FILE)

    assert ("--cuda-graphs", "0", "--lora-adapters", "a b") == words[-4:]


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    """With a local folder a revision would make TGI ask the hub."""
    words = launcher_command({"MODEL_ID": str(tmp_path), "MODEL_REVISION": "main"}, 80, NO_FILE)

    assert (LAUNCHER, "--port", "80", "--model-id", str(tmp_path)) == words


@pytest.mark.parametrize(("extra", "is_used"), [("--cuda-graphs 0", True), ("--x 'a b'", False),
                                                ("--x '*'", False), ("--x ''", False)])
def test_the_images_entrypoint_is_used_where_it_changes_nothing(
    tmp_path: Path, extra: str, is_used: bool
) -> None:
    """The entrypoint leaves arguments unquoted, so one that a shell would change goes past it."""
    entrypoint = tmp_path / "entrypoint.sh"
    entrypoint.touch()

    program = launcher_command({"TGI_ARGS": extra}, 80, entrypoint)[0]

    assert (str(entrypoint) if is_used else LAUNCHER) == program


def test_the_launcher_sees_nothing_it_would_misread() -> None:
    """Empty variables, tokens and names that the launcher reads as flags are dropped; the rest stays."""
    environ = {
        "PATH": "/bin", "HF_HOME": "/data", "NCCL_P2P_DISABLE": "1", "NVIDIA_VISIBLE_DEVICES": "0",
        "HF_TOKEN": "secret", "HUGGING_FACE_HUB_TOKEN": "secret", "HF_API_TOKEN": "secret", "EMPTY": "",
        "API_KEY": "key", "HOSTNAME": "3f2a", "PORT": "80", "REVISION": "main", "MODEL_ID": "org/name",
        "TRUST_REMOTE_CODE": "1", "MAX_INPUT_LENGTH": "10", "USAGE_STATS": "on", "HF_HUB_OFFLINE": "true",
    }

    kept = {"PATH": "/bin", "HF_HOME": "/data", "NCCL_P2P_DISABLE": "1", "NVIDIA_VISIBLE_DEVICES": "0",
            "HF_HUB_OFFLINE": "1", "USAGE_STATS": "off"}
    assert kept == launcher_environment(environ)


def test_another_command_keeps_its_environment() -> None:
    """The embedded engine reads its settings and its token itself; only empty variables go."""
    environ = {"MODEL_ID": "a/b", "HF_TOKEN": "t"}

    settings = read_settings(["--", "python", "-m", "engine"], environ | {"ENGINE_SLOTS": ""})

    assert ("python", "-m", "engine") == settings.command
    assert environ == settings.environment


def test_defaults_of_both_engines() -> None:
    """TGI listens on 80 in its container and is controlled from the network; others stay on loopback."""
    tgi, other = read_settings([], {}), read_settings(["--", "x"], {})

    assert ("127.0.0.1", 80, "0.0.0.0", 8081) == (
        tgi.engine_host, tgi.engine_port, tgi.control_host, tgi.control_port)
    assert ("127.0.0.1", 8090, "127.0.0.1", 8081) == (
        other.engine_host, other.engine_port, other.control_host, other.control_port)
    assert (600, 600) == (tgi.idle_seconds, other.idle_seconds)
    assert (90, 10, 30, 10) == (
        tgi.drain_seconds, tgi.margin_seconds, other.drain_seconds, other.margin_seconds)
    assert (None, None) == (tgi.marker, other.marker)


def test_empty_means_unset() -> None:
    """What Compose passes on as nothing changes nothing."""
    names = ("IDLE_SECONDS", "ENGINE_PORT", "ENGINE_CONTROL_HOST", "ENGINE_CONTROL_PORT",
             "ENGINE_WAIT_FOR", "ENGINE_STARTS_FILE", "GRACEFUL_TERMINATION_TIMEOUT", "NUM_SHARD",
             "MODEL_ID", "TGI_ARGS", "HF_HOME")

    assert read_settings([], dict.fromkeys(names, "")) == read_settings([], {})


def test_the_engine_is_asked_where_it_listens() -> None:
    """An engine on all interfaces is asked on loopback, one on a certain address there."""
    everywhere = read_settings(["--", "x"], {"ENGINE_HOST": "0.0.0.0"})
    somewhere = read_settings(["--", "x"], {"ENGINE_HOST": "10.0.0.7", "ENGINE_PORT": "9"})

    assert ("127.0.0.1", 8090) == (everywhere.engine_host, everywhere.engine_port)
    assert ("10.0.0.7", 9) == (somewhere.engine_host, somewhere.engine_port)


def test_the_download_marker() -> None:
    """`download` means the model's own marker in the cache; anything else is a path."""
    environ = {"MODEL_ID": "org/name", "HF_HOME": "/data"}

    assert Path("/data/paddock/org--name.complete.json") == read_settings(
        [], environ | {"ENGINE_WAIT_FOR": "download"}).marker
    assert Path("/x/y") == read_settings([], environ | {"ENGINE_WAIT_FOR": "/x/y"}).marker


def test_all_problems_are_told_at_once() -> None:
    """One line for each wrong value, naming the variable."""
    environ = {"IDLE_SECONDS": "soon", "ENGINE_PORT": "0", "ENGINE_CONTROL_PORT": "99999", "TGI_ARGS": "'",
               "ENGINE_HANG_SECONDS": "nan", "ENGINE_WAIT_FOR": "download"}

    with pytest.raises(SettingsWrong) as wrong:
        read_settings([], environ)

    lines = str(wrong.value).splitlines()
    assert 6 == len(lines)
    assert environ.keys() == {name for name in environ if any(name in line for line in lines)}


@pytest.mark.parametrize("arguments", [["--"], ["--help"], ["python", "-m", "engine"]])
def test_a_command_needs_its_dashes(arguments: list[str]) -> None:
    """The command line is nothing, or dashes and a command."""
    with pytest.raises(SettingsWrong, match="The command line must be empty"):
        read_settings(arguments, {})


def test_a_misspelt_setting_is_told_and_refuses_nothing() -> None:
    """It may be another program's; what begins otherwise or is empty is nobody's business here."""
    environ = {"ENGINE_HANG_SECS": "3", "MODEL_HOME": "/x", "ENGINE_NONE": "", "GATEWAY_SLOT": "3"}

    told = strangers(environ)

    assert "ENGINE_HANG_SECS is no setting of Paddock; did you mean ENGINE_HANG_SECONDS?" == told[0]
    assert ["ENGINE_HANG_SECS", "MODEL_HOME"] == [sentence.partition(" ")[0] for sentence in told]
    assert read_settings(["--", "engine"], environ).hang_seconds == 120.0
