"""What the bench asks of real models."""

import pytest

from tests.load import models


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080/"])
def test_a_loopback_address_has_its_port(url: str) -> None:
    """The stack of this machine may be loaded."""
    assert 8080 == models.port_of(url)


@pytest.mark.parametrize("url", ["http://example.org:8080", "https://127.0.0.1:8080", "127.0.0.1:8080", ""])
def test_any_other_address_is_refused(url: str) -> None:
    """The bench loads nobody else's machine."""
    with pytest.raises(ValueError, match="not http:// on this machine"):
        models.port_of(url)


def test_every_side_is_asked_the_same() -> None:
    """Native, raw and chat requests hold the same questions, greedy."""
    native, raw, chat = models.native_bodies(), models.raw_bodies(), models.chat_bodies()

    assert [body["inputs"] for body in native] == [body["prompt"] for body in raw]
    assert [*models.QUESTIONS] == [body["messages"][0]["content"] for body in chat]
    assert {False} == {body["parameters"]["do_sample"] for body in native}
    assert {0} == {body["temperature"] for body in (*raw, *chat)}


def test_a_prompt_leaves_begin_of_text_to_the_engine() -> None:
    """TGI adds it."""
    assert models.prompt("x").startswith("<|start_header_id|>user<|end_header_id|>\n\nx<|eot_id|>")


def test_a_cold_start_is_told_by_phase_and_in_all() -> None:
    """Of each engine whose supervisor measured one."""
    stats = {
        "engines": [
            {"name": "a:80", "start_seconds": {"starting": 1.5, "loading": 20.0}},
            {"name": "b:80", "start_seconds": {}},
        ]
    }

    assert [
        ("cold start of a:80, starting", (1.5,)),
        ("cold start of a:80, loading", (20.0,)),
        ("cold start of a:80, in all", (21.5,)),
    ] == [(figure.name, figure.repeats) for figure in models.starts(stats)]
