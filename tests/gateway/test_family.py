"""The prompt follows the family of the model that is served."""

from datetime import date

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve
from tests.gateway.talk import CHAT, chat


async def test_the_model_s_id_decides_on_the_format(serve: Serve, tgi_double: ThreadDouble) -> None:
    """A Llama 3.1 gets a system turn with today's date, on every route that writes a prompt."""
    tgi_double.settle(model_id="meta-llama/Llama-3.1-8B-Instruct")
    served = await serve()
    await served.client.post(CHAT, json=chat("Hi"))
    await served.client.get("/completion/Hi")
    first, second = (seen.inputs for seen in tgi_double.seen("/generate_stream")[-2:])

    today = f"{date.today():%d} {date.today():%b} {date.today().year}"
    head = "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: "
    user = "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    assert first.startswith(f"{head}{today}\n\n<|eot_id|>{user}")
    assert first == second


async def test_a_setting_decides_where_the_id_does_not(serve: Serve, tgi_double: ThreadDouble) -> None:
    """A model of any name can be told to be of a family."""
    tgi_double.settle(model_id="/models/mine")
    served = await serve()
    told = await serve(model_prompt_family="llama3.2")
    for one in (served, told):
        await one.client.post(CHAT, json=chat("Hi"))
    plain, dated = (seen.inputs for seen in tgi_double.seen("/generate_stream")[-2:])

    assert (False, True) == tuple("Today Date: " in prompt for prompt in (plain, dated))
