"""What the job reads from its environment."""

from pathlib import Path

import pytest

from gateway.download.errors import SettingsInvalid
from gateway.download.settings import DEFAULT_WORKERS, Settings, read_settings


def test_empty_variables_are_unset() -> None:
    """Compose writes empty variables for settings nobody made; they mean the defaults."""
    environment = {"MODEL_ID": "a/b", "MODEL_REVISION": "", "HF_HOME": "/data", "HF_TOKEN": " ",
                   "HF_TOKEN_FILE": "", "DOWNLOAD_WORKERS": "", "HF_ENDPOINT": ""}
    assert read_settings(environment) == Settings("a/b", "main", Path("/data"), None, DEFAULT_WORKERS)


def test_the_secret_file_wins_over_the_variable(tmp_path: Path) -> None:
    """A secret in a file is the more deliberate one."""
    secret = tmp_path / "token"
    secret.write_text("hf_file\n")
    environment = {"MODEL_ID": "a/b", "HF_TOKEN": "hf_variable", "HF_TOKEN_FILE": str(secret)}
    assert read_settings(environment).token == "hf_file"


def test_an_empty_secret_file_is_no_token(tmp_path: Path) -> None:
    """Compose makes an empty file of a secret whose variable is unset; the variable then counts."""
    secret = tmp_path / "token"
    secret.write_text("\n")
    environment = {"MODEL_ID": "a/b", "HF_TOKEN_FILE": str(secret)}
    assert read_settings(environment).token is None
    assert read_settings(environment | {"HF_TOKEN": "hf_variable"}).token == "hf_variable"


def test_the_token_is_not_in_the_settings_text() -> None:
    """Settings may be logged; the token may not."""
    assert "hf_secret" not in repr(read_settings({"MODEL_ID": "a/b", "HF_TOKEN": "hf_secret"}))


def test_a_token_that_cannot_be_one_is_named_without_repeating_it() -> None:
    """A pasted line with a space is a common mistake, and still a secret."""
    with pytest.raises(SettingsInvalid) as caught:
        read_settings({"MODEL_ID": "a/b", "HF_TOKEN": "export hf_secret"})
    assert "copy it again" in str(caught.value)
    assert "hf_secret" not in str(caught.value)


@pytest.mark.parametrize("model", ["", "a/b/c", "/data/model", "../b", "a/b:Q4_K_M", "a--b/c", "a b/c"])
def test_what_is_no_hub_name_is_refused(model: str) -> None:
    """The name becomes a folder: nothing but owner/name passes."""
    with pytest.raises(SettingsInvalid, match="MODEL_ID"):
        read_settings({"MODEL_ID": model})


@pytest.mark.parametrize("revision", ["../main", "/main", "a..b", "main\nx"])
def test_what_is_no_revision_is_refused(revision: str) -> None:
    """The revision becomes a file name below refs."""
    with pytest.raises(SettingsInvalid, match="MODEL_REVISION"):
        read_settings({"MODEL_ID": "a/b", "MODEL_REVISION": revision})


@pytest.mark.parametrize("workers", ["0", "33", "-1", "four", "2.5"])
def test_workers_are_a_whole_number_within_bounds(workers: str) -> None:
    """More connections than the bound only annoy the hub."""
    with pytest.raises(SettingsInvalid, match="from 1 to 32"):
        read_settings({"MODEL_ID": "a/b", "DOWNLOAD_WORKERS": workers})
