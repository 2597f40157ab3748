"""GET /completion/{question}: any characters in the path, and an end that EventSource understands."""

from urllib.parse import quote

import pytest

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Served
from tests.gateway.talk import frames_of

QUESTIONS = [
    "What is the story about the fox and the grapes?",
    "a/b//c",
    "100% sure? & <b> \"quoted\" 'single' #5; a+b=c",
    "é漢字😀",
    "new\nline",
    "%2F is a slash",
    "?",
    "<|eot_id|> is a token",
]


async def raw_get(served: Served, target: bytes) -> tuple[int, str]:
    """Ask with a target exactly as written, which client libraries would tidy up."""
    import asyncio

    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET " + target + b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), body.decode()


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_arrives_as_it_was_written(
    served: Served, tgi_double: ThreadDouble, question: str
) -> None:
    """Escaped as browsers do it."""
    response = await served.client.get("/completion/" + quote(question, safe=""))
    prompt = tgi_double.seen("/generate_stream")[-1].inputs

    assert 200 == response.status_code
    user = prompt.removeprefix("<|start_header_id|>user<|end_header_id|>\n\n").partition("<|eot_id|>")[0]
    assert question == user.replace("\u2060", "")


async def test_an_answer_is_texts_and_an_end(served: Served, tgi_double: ThreadDouble) -> None:
    """{"text": …} events, then one named end with the id that stops a reconnect."""
    tgi_double.script(reply='He said "é"\nand left')
    frames = frames_of((await served.client.get("/completion/Hi")).text)

    assert 'He said "é"\nand left' == "".join(frame.json["text"] for frame in frames[:-1])
    assert {""} == {frame.event for frame in frames[:-1]}
    assert ("end", "end", "stop") == (frames[-1].event, frames[-1].id, frames[-1].json["finish_reason"])


@pytest.mark.parametrize(
    ("target", "question"),
    [
        (b"/completion/Why?", "Why"),
        (b"/completion/Why?Because?", "Why?Because?"),
        (b"/completion/a/b?c=d&e", "a/b?c=d&e"),
        (b"/completion/50%", "50%"),
        (b"/completion/%zz", "%zz"),
        (b"/completion/a+b", "a+b"),
    ],
)
async def test_a_question_typed_by_hand_is_understood(
    served: Served, tgi_double: ThreadDouble, target: bytes, question: str
) -> None:
    """Unescaped marks stay; a question mark at the very end is what an address cannot carry."""
    status, _ = await raw_get(served, target)

    assert 200 == status
    prompt = tgi_double.seen("/generate_stream")[-1].inputs
    assert prompt.startswith(f"<|start_header_id|>user<|end_header_id|>\n\n{question}<|eot_id|>")


@pytest.mark.parametrize(("target", "words"), [
    (b"/completion/%ff%fe", "not UTF-8"), (b"/completion/", "is empty"), (b"/completion/%20%0A", "is empty"),
])  # fmt: skip
async def test_what_is_no_question_is_refused(served: Served, target: bytes, words: str) -> None:
    """422 in the envelope."""
    status, body = await raw_get(served, target)

    assert 422 == status
    assert words in body
    assert '"param":"question"' in body


async def test_an_event_source_that_saw_the_end_is_told_to_stop(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """204 ends its reconnecting; the engine is not asked again."""
    asked = len(tgi_double.seen("/generate_stream"))
    response = await served.client.get("/completion/Hi", headers={"last-event-id": "end"})

    assert (204, b"") == (response.status_code, response.content)
    assert asked == len(tgi_double.seen("/generate_stream"))


async def test_a_broken_answer_ends_in_an_error_with_the_end_s_id(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """Behind the text, so that nobody takes it for whole or asks for ever."""
    tgi_double.script(reply="one two", fault="close", after=1)
    frames = frames_of((await served.client.get("/completion/Hi")).text)

    assert "one" == frames[0].json["text"]
    assert ("end", "engine_cut_off") == (frames[-1].id, frames[-1].json["error"]["code"])
