"""The chat format of the corpus is Llama 3's, and the template in the model file writes the same text."""

from __future__ import annotations

from jinja2 import Environment

from engine.demo import llama3

MESSAGES = [("system", "Be brief."), ("user", " Hello! "), ("assistant", "Hi."), ("user", "Bye")]


def test_a_prompt_has_llama_3s_layout() -> None:
    """One header and one end of turn for each message, then an open header."""
    expected = (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHello!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHi.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )

    assert expected == llama3.open_prompt(MESSAGES)


def test_the_template_writes_what_training_reads() -> None:
    """The Jinja template and the corpus renderer agree, open header and all."""
    template = Environment(autoescape=False).from_string(llama3.CHAT_TEMPLATE)
    messages = [{"role": role, "content": content} for role, content in MESSAGES]

    rendered = template.render(messages=messages, bos_token=llama3.BEGIN_OF_TEXT, add_generation_prompt=True)

    assert llama3.open_prompt(MESSAGES) == rendered
