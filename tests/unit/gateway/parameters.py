"""Every parameter of OpenAI's two routes, and what becomes of it: a test walks it, docs/parameters.md is it.

Run as a program it prints that document.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Treatment = Literal["mapped", "neutral", "refused"]

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
NAMED = {"type": "function", "function": {"name": "f"}}
CALL = '{"name": "f", "parameters": {"a": 1}}'


@dataclass(frozen=True)
class Row:
    """One parameter.

    Shape: taken lists values that are answered, each with what TGI's parameters then hold; denied
    lists values that are refused with this parameter named. beside is sent with all of them, and reply
    is what the model says.
    """

    name: str
    treatment: Treatment
    says: str
    taken: tuple[tuple[Any, Mapping[str, Any]], ...] = ()
    denied: tuple[Any, ...] = ()
    beside: Mapping[str, Any] = field(default_factory=dict)
    reply: str = "Hi"


def _unknown(name: str, value: Any) -> Row:
    return Row(name, "refused", "named in a 422, whatever its value", denied=(value,))


def _sampling() -> tuple[Row, ...]:
    """List what both routes have."""
    return (
        Row("model", "mapped", "the served model's id, `tgi` or none; another is a 404 that names it",
            taken=(("tgi", {}), (None, {}))),
        Row("stream", "mapped", "true answers with events, false or none with one body",
            taken=((True, {}), (False, {}), (None, {})), denied=("yes", 1)),
        Row("stream_options", "mapped", "`include_usage` adds a last chunk with `usage` and `timings`; "
            "`include_obfuscation` must be false",
            taken=(({"include_usage": True}, {}),), denied=({"include_obfuscation": True}, {"other": 1})),
        Row("temperature", "mapped", "0 to 2; 0 always takes the likeliest token; default: the model's, "
            "in `/v1/models`",
            taken=((0.5, {"temperature": 0.5, "do_sample": True}), (0, {"do_sample": False})),
            denied=(2.1, -1, "1", True)),
        Row("top_p", "mapped", "above 0, to 1; no effect at temperature 0",
            taken=((0.5, {"top_p": 0.5}), (1, {})), denied=(0, 1.1), beside={"temperature": 1}),
        Row("max_tokens", "mapped", "1 or more; what does not fit the context is a 400 with the counts; "
            "default: what the context leaves",
            taken=((7, {"max_new_tokens": 7}),), denied=(0, 1.5, "7")),
        Row("seed", "mapped", "0 to 2^64-1; no effect at temperature 0",
            taken=((7, {"seed": 7}),), denied=(-1, 2**64, 1.5), beside={"temperature": 1}),
        Row("stop", "mapped", "a text or a list of any length, none of them empty; the answer ends before "
            "the first that comes, wherever in a token it starts",
            taken=(("END", {}), (["a1", "a2", "a3", "a4", "a5"], {})), denied=(5, ["a", ""], [7])),
        Row("frequency_penalty", "mapped", "-2 to 2",
            taken=((0.5, {"frequency_penalty": 0.5}), (-2, {"frequency_penalty": -2}), (0, {})),
            denied=(2.1, "1")),
        Row("presence_penalty", "refused", "0 or none only: TGI would make a repetition penalty of it "
            "that ruins "
            "answers", taken=((0, {}), (0.0, {}), (None, {})), denied=(0.5, -1)),
        Row("n", "refused", "1 or none only: send as many requests, each gets its place in the queue",
            taken=((1, {}), (None, {})), denied=(2, 0)),
        Row("logit_bias", "refused", "`{}` or none only", taken=(({}, {}), (None, {})), denied=({"5": 1},)),
        Row("user", "neutral", "a text of the caller's own; it changes no answer and is not logged",
            taken=(("ann", {}),), denied=(5,)),
    )  # fmt: skip


CHAT: tuple[Row, ...] = (
    Row("messages", "mapped", "roles system, developer (the same), user, assistant, tool; content a text or "
        "text parts; a last assistant message is continued; one call a turn",
        taken=(([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], {}),
               ([{"role": "user", "content": "Count"}, {"role": "assistant", "content": "1, 2,"}], {})),
        denied=([], "Hi", [{"role": "wizard", "content": "x"}], [{"role": "user", "content": ""}],
                [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}],
                [{"role": "user", "content": "x", "name": "Ann"}])),
    *_sampling(),
    Row("max_completion_tokens", "mapped", "the newer name of `max_tokens`; both may be sent if they are "
        "the same",
        taken=((7, {"max_new_tokens": 7}),), denied=(0,)),
    Row("logprobs", "mapped", "true tells each token's log-probability as the engine has it; not beside "
        "tools",
        taken=((True, {}), (False, {})), denied=(1,)),
    Row("top_logprobs", "mapped", "0 to 5, with `logprobs`",
        taken=((0, {}), (5, {"top_n_tokens": 5})), denied=(6, -1), beside={"logprobs": True}),
    Row("response_format", "mapped", "`text`; `json_object`: an object, two levels of values deep; "
        "`json_schema`: an "
        "object by its `schema`, `strict` or not. The engine is bound by a grammar, and the whole answer is "
        "checked: another form is an error (`engine_failed`), one cut by the limit says `length`. At most "
        "1,024 "
        "tokens, no `stop`, no tools. Keywords of schemas that are checked: type, properties, required, "
        "additionalProperties, items, enum, const, anyOf, oneOf, $ref, format (date-time, date, time, "
        "uuid) and "
        "the bounds of numbers, lengths and items; others are refused",
        taken=(({"type": "text"}, {}),
               ({"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}},
                {"grammar": {"type": "json", "value": SCHEMA}})),
        denied=({"type": "xml"}, {"type": "json_schema"},
                {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "array"}}},
                {"type": "json_schema", "json_schema": {"name": "x", "schema": {**SCHEMA, "not": {}}}}),
        reply='{"a": 1}'),
    Row("tools", "mapped", "functions, described as Llama 3.1's template does; plain Llama 3 has no form "
        "for them and "
        "refuses. An answer that begins as a call of one is that call, with `finish_reason` `tool_calls`, "
        "and "
        "ends behind it. `strict` is kept where `tool_choice` asks for a call, and refused elsewhere",
        taken=(([], {}), ([TOOL], {})),
        denied=([{"type": "custom"}], [{"type": "function", "function": {"name": "two words"}}], [TOOL, TOOL],
                [{**TOOL, "function": {**TOOL["function"], "strict": True}}])),  # type: ignore[dict-item]
    Row("tool_choice", "mapped", "`auto`: the model decides; `none`: tools are not shown; `required` or a "
        "named "
        "function: a grammar makes it a call, and its arguments are checked, as for `response_format`",
        taken=(("auto", {}), ("none", {}), ("required", {}), (NAMED, {})),
        denied=("must", {"type": "function", "function": {"name": "g"}}), beside={"tools": [TOOL]},
        reply=CALL),
    Row("parallel_tool_calls", "neutral", "true or false: the prompt's format has one call a turn, so "
        "there is "
        "never more than one", taken=((True, {}), (False, {})), denied=("no",)),
    Row("store", "refused", "false or none only: nothing is stored", taken=((False, {}),), denied=(True,)),
    Row("metadata", "refused", "`{}` or none only", taken=(({}, {}),), denied=({"a": "b"},)),
    Row("service_tier", "refused", "`auto`, `default` or none only",
        taken=(("auto", {}), ("default", {})), denied=("flex",)),
    _unknown("audio", {"voice": "ash", "format": "wav"}),
    _unknown("function_call", "auto"),
    _unknown("functions", []),
    _unknown("modalities", ["text"]),
    _unknown("moderation", {}),
    _unknown("prediction", {"type": "content", "content": "x"}),
    _unknown("prompt_cache_key", "x"),
    _unknown("prompt_cache_options", {}),
    _unknown("prompt_cache_retention", "24h"),
    _unknown("reasoning_effort", "low"),
    _unknown("safety_identifier", "x"),
    _unknown("verbosity", "low"),
    _unknown("web_search_options", {}),
)  # fmt: skip

COMPLETION: tuple[Row, ...] = (
    Row("prompt", "mapped", "a text, or a list of one, handed to the engine as it is",
        taken=(("Hi", {}), (["Hi"], {})), denied=("", [], ["a", "b"], [1, 2], 5)),
    *_sampling(),
    Row("logprobs", "mapped", "0 to 5: the token's log-probability and so many alternatives",
        taken=((0, {}), (5, {"top_n_tokens": 5})), denied=(6, True)),
    Row("best_of", "refused", "1 or none only", taken=((1, {}),), denied=(2,)),
    Row("echo", "refused", "false or none only", taken=((False, {}),), denied=(True,)),
    Row("suffix", "refused", "empty or none only", taken=(("", {}),), denied=("x",)),
)  # fmt: skip

_WORDS = {"mapped": "used", "neutral": "taken", "refused": "refused"}


def document() -> str:
    """Write docs/parameters.md."""
    parts = [
        "# OpenAI's parameters",
        "",
        "What the gateway does with each parameter of OpenAI's two routes. *used*: it has its effect. "
        "*taken*: it is",
        "accepted and there is nothing to do. *refused*: asking for it is a 422 whose `param` names it; "
        "the values that",
        "ask for nothing are accepted where the table says so. Nothing is ignored: a parameter that is "
        "not here, or a",
        "field that is not known inside one, is refused by name too. A limit that a value breaks is a 422 "
        "with `param`.",
    ]
    for title, rows in (("POST /v1/chat/completions", CHAT), ("POST /v1/completions", COMPLETION)):
        parts += ["", f"## {title}", "", "| parameter | | what |", "|---|---|---|"]
        parts += [f"| `{row.name}` | {_WORDS[row.treatment]} | {row.says} |" for row in rows]
    parts += [
        "",
        "Chats also end at the control tokens `<|eot_id|>` and `<|eom_id|>`, whatever the model's",
        "`generation_config.json` lists: TGI does not tell that list, so it cannot be compared.",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(document(), end="")
