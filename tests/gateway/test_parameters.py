"""The table of parameters, walked against a running gateway: what it promises happens."""

from typing import Any

import pytest
from openai.types import completion_create_params as completions
from openai.types.chat import completion_create_params as chats

from gateway.schema import ChatBody, CompletionBody
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve
from tests.gateway.talk import CHAT as CHATS
from tests.unit.gateway.parameters import CHAT, COMPLETION, Row

USER = [{"role": "user", "content": "Hi"}]
ROUTES: tuple[tuple[str, dict[str, Any], tuple[Row, ...]], ...] = (
    (CHATS, {"messages": USER}, CHAT),
    ("/v1/completions", {"prompt": "Hi"}, COMPLETION),
)
ROWS = [
    pytest.param(route, least, row, id=f"{route} {row.name}") for route, least, rows in ROUTES for row in rows
]


@pytest.mark.parametrize(("route", "least", "row"), ROWS)
async def test_a_parameter_is_treated_as_the_table_says(
    serve: Serve, tgi_double: ThreadDouble, route: str, least: dict[str, Any], row: Row
) -> None:
    """Its values are answered and reach the engine, or are refused with its name."""
    tgi_double.settle(model_id="meta-llama/Llama-3.1-8B-Instruct")
    tgi_double.script(reply=row.reply, times=None)
    served = await serve()
    for value, expected in row.taken:
        response = await served.client.post(route, json={**least, **row.beside, row.name: value})
        given = tgi_double.seen("/generate_stream")[-1].parameters

        assert 200 == response.status_code, (value, response.text)
        assert '"error":' not in response.text, value
        assert dict(expected) == {key: given.get(key) for key in expected}, value
    refused = [(value, 400, "chat_unsupported") for value in row.unkept]
    refused += [(value, 422, "chat_invalid") for value in row.denied]
    for value, status, code in refused:
        response = await served.client.post(route, json={**least, **row.beside, row.name: value})
        error = response.json()["error"]

        assert (status, code) == (response.status_code, error["code"]), value
        assert row.name == error["param"].replace("[", ".").split(".")[0], value


@pytest.mark.parametrize(
    ("rows", "kinds", "body"),
    [
        (CHAT, (chats.CompletionCreateParamsBase, chats.CompletionCreateParamsStreaming), ChatBody),
        (
            COMPLETION,
            (completions.CompletionCreateParamsBase, completions.CompletionCreateParamsStreaming),
            CompletionBody,
        ),
    ],
    ids=["chat", "completion"],
)
def test_the_table_has_every_parameter(rows: tuple[Row, ...], kinds: Any, body: Any) -> None:
    """Those of the official SDK and those that our bodies have, each once."""
    official = {name for kind in kinds for name in kind.__annotations__}
    names = [row.name for row in rows]

    assert len(names) == len(set(names))
    assert official | set(body.model_fields) == set(names)


def test_every_row_is_shown_by_something() -> None:
    """A promise without a value to try is none."""
    assert [] == [row.name for row in (*CHAT, *COMPLETION) if not row.taken]
    assert [] == [row.name for row in (*CHAT, *COMPLETION) if row.treatment == "refused" and not row.unkept]
