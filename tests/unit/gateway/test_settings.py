"""Settings: all that is wrong is said at once, and an empty variable counts as unset."""

from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsInvalid, read_settings, strangers


def problems(environment: dict[str, str]) -> list[str]:
    """Give what is said about an environment."""
    with pytest.raises(SettingsInvalid) as invalid:
        read_settings(environment)
    assert "; ".join(invalid.value.problems) == str(invalid.value)
    return invalid.value.problems


def test_an_empty_environment_gives_the_defaults() -> None:
    """Nothing has to be set."""
    assert Settings() == read_settings({})


def test_values_are_read_by_their_variables() -> None:
    """A variable is the prefix and the field in capitals."""
    settings = read_settings({"GATEWAY_PORT": "0", "GATEWAY_WAIT_LIMIT_SECONDS": "2.5", "MODEL_TOP_P": "0.5"})

    assert (0, 2.5, 0.5) == (settings.port, settings.wait_limit_seconds, settings.top_p)


def test_every_variable_is_prefix_and_field() -> None:
    """No field hides behind another name."""
    names = {str(field.alias): name for name, field in Settings.model_fields.items()}

    assert {alias: alias.split("_", 1)[1].lower() for alias in names} == names


def test_every_setting_has_a_description() -> None:
    """It is what --help and the example file say."""
    assert [] == [name for name, field in Settings.model_fields.items() if not field.description]


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_an_empty_variable_is_unset(empty: str) -> None:
    """Compose writes empty ones; they are no values, known name or not."""
    environment = {"GATEWAY_PORT": empty, "GATEWAY_NO_SUCH": empty, "MODEL_TOP_P": empty}

    assert Settings() == read_settings(environment)


def test_other_programs_variables_are_left_alone() -> None:
    """Only our own prefix is checked."""
    assert Settings() == read_settings({"PATH": "x", "MODEL_PATH": "m.gguf", "ENGINE_SLOTS": "x"})


def test_all_problems_are_told_at_once() -> None:
    """Three wrong values are three sentences, each naming its variable and value."""
    told = problems({"GATEWAY_PORT": "70000", "GATEWAY_SLOTS": "many", "GATEWAY_DRAIN_SECONDS": "-1"})

    assert ["GATEWAY_DRAIN_SECONDS='-1'", "GATEWAY_PORT='70000'", "GATEWAY_SLOTS='many'"] == sorted(
        problem.split(":")[0] for problem in told
    )


def test_a_misspelt_variable_is_named_with_the_nearest() -> None:
    """A setting that nobody reads would be ignored in silence."""
    told = "GATEWAY_SLOT is no setting of Paddock; did you mean GATEWAY_SLOTS?"

    assert [told] == strangers({"GATEWAY_SLOT": "4", "GATEWAY_SLOTS": "4", "GATEWAY_EMPTY": ""})


def test_another_programs_variable_is_no_reason_to_refuse() -> None:
    """CGI has names of our prefix, and so has what an orchestrator tells of a service."""
    environment = {"GATEWAY_INTERFACE": "CGI/1.1", "GATEWAY_SERVICE_HOST": "10.0.0.7"}

    assert Settings() == read_settings(environment)
    assert ["GATEWAY_INTERFACE", "GATEWAY_SERVICE_HOST"] == [
        sentence.partition(" ")[0] for sentence in strangers(environment)
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://engine", "engine:80", "http://", "http://engine/v1", "http://engine?x=1", "ftp://engine",
        "http://engine:abc", "http://engine:99999",
    ],
)  # fmt: skip
def test_an_engine_url_must_be_plain_http(url: str) -> None:
    """Only what can be connected to is taken."""
    (problem,) = problems({"GATEWAY_ENGINE_URL": url})

    assert f"GATEWAY_ENGINE_URL={url!r}" == problem.partition("': ")[0] + "'"


def test_a_slash_behind_the_engine_url_is_dropped() -> None:
    """Paths are put behind it."""
    assert "http://engine:80" == read_settings({"GATEWAY_ENGINE_URL": "http://engine:80/"}).engine_url


def test_a_site_folder_needs_its_page(tmp_path: Path) -> None:
    """A wrong folder is told at the start, not by a 404 later."""
    (problem,) = problems({"GATEWAY_SITE_DIR": str(tmp_path)})
    assert "has no index.html" in problem

    (tmp_path / "index.html").write_text("<p>")
    assert tmp_path == read_settings({"GATEWAY_SITE_DIR": str(tmp_path)}).site_dir


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "86401", "soon"])
def test_a_limit_is_a_time_that_can_pass(value: str) -> None:
    """Zero, negative and endless times are refused."""
    assert 1 == len(problems({"GATEWAY_GAP_LIMIT_SECONDS": value}))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 64),
        ({"GATEWAY_SLOTS": "3"}, 24),
        ({"GATEWAY_SLOTS": "3", "GATEWAY_BACKLOG_LIMIT": "5"}, 5),
        ({"GATEWAY_BACKLOG_LIMIT": "0"}, 0),
    ],
)
def test_the_backlog_follows_the_slots(environment: dict[str, str], expected: int) -> None:
    """One dial derives the bound, unless it is set."""
    assert expected == read_settings(environment).backlog_bound


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("GATEWAY_ALLOWED_HOSTS", "http://a.lan", "'http://a.lan' is no name"),
        ("GATEWAY_ALLOWED_HOSTS", "a.lan, b.lan:8080", "'b.lan:8080' is no name"),
        ("GATEWAY_ALLOWED_HOSTS", "*", "'*' is no name"),
        ("GATEWAY_TRUSTED_PROXIES", "127.0.0.1, proxy", "'proxy' is no address, no network and not *"),
        ("GATEWAY_SITE_DIR", "/none", "/none has no index.html"),
    ],
)
def test_what_could_never_act_is_refused(variable: str, value: str, reason: str) -> None:
    """In our words: a name with a port would match no request, a proxy's name no peer."""
    (problem,) = problems({variable: value})

    assert problem.startswith(f"{variable}={value!r}: {reason}")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_ALLOWED_HOSTS", "workstation.lan, gpu-1,, A_b"),
        ("GATEWAY_TRUSTED_PROXIES", "*"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
    ],
)
def test_names_and_networks_are_taken(variable: str, value: str) -> None:
    """Several with commas, addresses or networks."""
    settings = read_settings({variable: value})

    assert value in (settings.allowed_hosts, settings.trusted_proxies)
