"""The chat format of the corpus is Llama 3's, and the template in the model file writes the same text."""

from __future__ import annotations

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


def test_the_template_holds_the_same_pieces() -> None:
    """Header, trimming, end of turn and open header stand in the Jinja template as the corpus has them."""
    opened = llama3.open_prompt([]).removeprefix(llama3.BEGIN_OF_TEXT)
    template = llama3.CHAT_TEMPLATE

    assert f"'{llama3.START_HEADER}' + message['role'] + '{llama3.END_HEADER}\n\n'" in template
    assert f"+ message['content'] | trim + '{llama3.END_OF_TURN}'" in template
    assert f"{{{{ '{opened}' }}}}" in template
    assert "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}" in template
