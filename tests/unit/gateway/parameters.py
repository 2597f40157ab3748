"""Every parameter of OpenAI's two routes, and what becomes of it: a test walks it, docs/parameters.md is it.

Run as a program it prints that document.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Treatment = Literal["mapped", "neutral", "refused"]

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
NAMED = {"type": "function", "function": {"name": "f"}}
CALL = '{"name": "f", "parameters": {"a": 1}}'


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}


@dataclass(frozen=True)
class Row:
    """One parameter.

    Shape: taken lists values that are answered, each with what TGI's parameters then hold; unkept lists
    values that OpenAI's API has and that are a 400 here, denied such that nobody's has and that are a
    422, both with this parameter named. beside is sent with all of them, and reply is what the model says.
    """

    name: str
    treatment: Treatment
    says: str
    taken: tuple[tuple[Any, Mapping[str, Any]], ...] = ()
    unkept: tuple[Any, ...] = ()
    denied: tuple[Any, ...] = ()
    beside: Mapping[str, Any] = field(default_factory=dict)
    reply: str = "Hi"


def _unkept(name: str, value: Any, *neutral: Any) -> Row:
    shown = [f"`{json.dumps(one)}`" for one in neutral]
    says = f"{', '.join(shown)} or none only" if shown else "none only"
    return Row(name, "refused", says, taken=tuple((one, {}) for one in (*neutral, None)), unkept=(value,))


def _sampling() -> tuple[Row, ...]:
    """List what both routes have."""
    return (
        Row("model", "mapped", "the served model's id, `tgi` or none; another is a 404 that names it",
            taken=(("tgi", {}), (None, {}))),
        Row("stream", "mapped", "true answers with events, false or none with one body",
            taken=((True, {}), (False, {}), (None, {})), denied=("yes", 1)),
        Row("stream_options", "mapped", "`include_usage` adds a last chunk with `usage` and `timings`; "
            "`include_obfuscation` must be false",
            taken=(({"include_usage": True}, {}),), unkept=({"include_obfuscation": True},),
            denied=({"other": 1},)),
        Row("temperature", "mapped", "0 to 2; 0 always takes the likeliest token; default: the model's, "
            "in `/v1/models`",
            taken=((0.5, {"temperature": 0.5, "do_sample": True}), (0, {"do_sample": False})),
            denied=(2.1, -1, "1", True)),
        Row("top_p", "mapped", "above 0, to 1; no effect at temperature 0",
            taken=((0.5, {"top_p": 0.5}), (1, {})), denied=(0, 1.1), beside={"temperature": 1}),
        Row("max_tokens", "mapped", "1 or more; what does not fit the context is a 400 with the counts; "
            "default: what the context leaves. More than 1,024 are asked of the engine in parts, so that "
            "they are exactly as many",
            taken=((7, {"max_new_tokens": 7}),), denied=(0, 1.5, "7")),
        Row("seed", "mapped", "-2^63 to 2^64-1, those below 0 counted from 2^64 down; no effect at "
            "temperature 0",
            taken=((7, {"seed": 7}), (-1, {"seed": 2**64 - 1})), denied=(-2**63 - 1, 2**64, 1.5),
            beside={"temperature": 1}),
        Row("stop", "mapped", "a text or a list of any length, none of them empty; the answer ends before "
            "the first that comes, wherever in a token it starts",
            taken=(("END", {}), (["a1", "a2", "a3", "a4", "a5"], {})), denied=(5, ["a", ""], [7])),
        Row("frequency_penalty", "mapped", "-2 to 2",
            taken=((0.5, {"frequency_penalty": 0.5}), (-2, {"frequency_penalty": -2}), (0, {})),
            denied=(2.1, "1")),
        Row("repetition_penalty", "mapped", "TGI's own: above 0, 1 for none",
            taken=((1.2, {"repetition_penalty": 1.2}), (None, {})), denied=(0, "1")),
        Row("top_k", "mapped", "TGI's own: 1 or more; no effect at temperature 0",
            taken=((5, {"top_k": 5}), (None, {})), denied=(0, 1.5), beside={"temperature": 1}),
        Row("presence_penalty", "refused", "0 or none only: TGI would make a repetition penalty of it "
            "that ruins "
            "answers", taken=((0, {}), (0.0, {}), (None, {})), unkept=(0.5, -1)),
        Row("n", "mapped", "1 to 8: so many generations, each with a slot of its own when one is free, and "
            "in a stream each with its `index`. They are admitted together or not at all, and weigh as much "
            "as so many chats in the queue and in a key's tokens. With a `seed` the first answer has that "
            "one and each other the next, so that it can be had again alone; at temperature 0 all are the "
            "same. `usage` counts the prompt once. If one fails, so does the whole",
            taken=((1, {}), (None, {}), (2, {}), (8, {})), unkept=(9, 128), denied=(0, 129, 1.5, "2")),
        _unkept("logit_bias", {"5": 1}, {}),
        Row("user", "neutral", "a text of the caller's own; it changes no answer and is not logged",
            taken=(("ann", {}),), denied=(5,)),
    )  # fmt: skip


CHAT: tuple[Row, ...] = (
    Row("messages", "mapped", "roles system, developer (the same), user, assistant, tool; content a text or "
        "text parts; a last assistant message is continued; one call a turn; a `name` is a tool's "
        "alone, that of the function that was called",
        taken=(([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], {}),
               ([{"role": "user", "content": "Count"}, {"role": "assistant", "content": "1, 2,"}], {})),
        unkept=([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}],
                [{"role": "user", "content": "x", "name": "Ann"}], [{"role": "function", "content": "x"}]),
        denied=([], "Hi", [{"role": "wizard", "content": "x"}], [{"role": "user", "content": ""}])),
    *_sampling(),
    Row("max_completion_tokens", "mapped", "the newer name of `max_tokens`; both may be sent if they are "
        "the same",
        taken=((7, {"max_new_tokens": 7}),), denied=(0,)),
    Row("logprobs", "mapped", "true tells each token's log-probability as the engine has it; not beside "
        "tools",
        taken=((True, {}), (False, {})), denied=(1,)),
    Row("top_logprobs", "mapped", "0 to 5, with `logprobs`",
        taken=((0, {}), (5, {"top_n_tokens": 5})), unkept=(6, 20), denied=(21, -1),
        beside={"logprobs": True}),
    Row("response_format", "mapped", "`text`; `json_object`: an object, two levels of values deep; "
        "`json_schema`: an "
        "object by its `schema`, `strict` or not. The engine is bound by a grammar, and the whole answer is "
        "checked: another form is an error (`engine_failed`), one cut by the limit says `length`. At most "
        "1,024 "
        "tokens, no `stop`, no tools. A schema may be sent in TGI's words, too, as the `value` beside the "
        "type `json` or `json_object`, as its clients do. Keywords of schemas that are "
        "checked: type, properties, required, additionalProperties, items, enum, const, anyOf, oneOf, $ref, "
        "format (date-time, date, time, "
        "uuid) and "
        "the bounds of numbers, lengths and items; others are refused",
        taken=(({"type": "text"}, {}),
               ({"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}},
                {"grammar": {"type": "json", "value": SCHEMA}}),
               ({"type": "json_object", "value": SCHEMA}, {"grammar": {"type": "json", "value": SCHEMA}})),
        unkept=({"type": "regex", "value": "a+"},
                {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "array"}}},
                {"type": "json_schema", "json_schema": {"name": "x", "schema": {**SCHEMA, "not": {}}}}),
        denied=({"type": "xml"}, {"type": "json_schema"}),
        reply='{"a": 1}'),
    Row("tools", "mapped", "functions, described as Llama 3.1's template does; plain Llama 3 has no form "
        "for them and "
        "refuses. An answer that begins as a call of one is held back until its arguments are whole, and "
        "is that call, with `finish_reason` `tool_calls`, if they are what the tool takes; it ends behind "
        "it, and what the model would write next, another call or a text, is neither waited for nor told. If "
        "they are not, it is text, whole, and no call, as is one that a text stands in front of. Of a "
        "schema the keywords named at "
        "`response_format` are checked; with `strict` any other is refused",
        taken=(([], {}), ([TOOL], {}), ([_strict(SCHEMA)], {})),
        unkept=([{"type": "custom", "custom": {"name": "f"}}], [_strict({**SCHEMA, "not": {}})]),
        denied=([{"type": "function", "function": {"name": "two words"}}], [TOOL, TOOL])),
    Row("tool_choice", "mapped", "`auto`: the model decides; `none`: tools are not shown; `required` or a "
        "named "
        "function: a grammar makes it a call, whose arguments are handed on as they arrive and checked at "
        "the end, as for `response_format`",
        taken=(("auto", {}), ("none", {}), ("required", {}), (NAMED, {})),
        unkept=({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},),
        denied=("must", {"type": "function", "function": {"name": "g"}}), beside={"tools": [TOOL]},
        reply=CALL),
    Row("parallel_tool_calls", "neutral", "true or false: the prompt's format has one call a turn, so "
        "there is never more than one. A model that wants another asks for it when it has the answer to the "
        "first", taken=((True, {}), (False, {})), denied=("no",)),
    Row("safety_identifier", "neutral", "as `user`", taken=(("ann", {}),), denied=(5,)),
    Row("prompt_cache_key", "neutral", "as `user`; the engine caches every prompt's beginning by itself",
        taken=(("ann", {}),), denied=(5,)),
    _unkept("store", True, False),
    _unkept("metadata", {"a": "b"}, {}),
    _unkept("service_tier", "flex", "auto", "default"),
    _unkept("modalities", ["text", "audio"], ["text"]),
    _unkept("reasoning_effort", "low", "none"),
    _unkept("verbosity", "low", "medium"),
    _unkept("audio", {"voice": "ash", "format": "wav"}),
    _unkept("function_call", "auto"),
    _unkept("functions", []),
    _unkept("moderation", {}),
    _unkept("prediction", {"type": "content", "content": "x"}),
    _unkept("prompt_cache_options", {}),
    _unkept("prompt_cache_retention", "24h"),
    _unkept("web_search_options", {}),
)  # fmt: skip

COMPLETION: tuple[Row, ...] = (
    Row("prompt", "mapped", "a text, or up to 8, handed to the engine as they are; a `<|begin_of_text|>` "
        "that one starts with is the one that the engine adds, not another. The answers to the first come "
        "first by their `index`, then those to the next; 8 in all",
        taken=(("Hi", {}), (["Hi"], {}), (["a", "b"], {})), unkept=(["a"] * 9, [1, 2], [[1], [2]]),
        denied=("", [], 5, ["a", 1])),
    *_sampling(),
    Row("logprobs", "mapped", "0 to 5: the token's log-probability and so many alternatives",
        taken=((0, {}), (5, {"top_n_tokens": 5})), denied=(6, True)),
    _unkept("best_of", 2, 1),
    _unkept("echo", True, False),
    _unkept("suffix", "x", ""),
)  # fmt: skip

_WORDS = {"mapped": "used", "neutral": "taken", "refused": "refused"}


def _errors(row: Row) -> str:
    return ", ".join(status for status, values in (("400", row.unkept), ("422", row.denied)) if values)


def document() -> str:
    """Write docs/parameters.md."""
    parts = [
        "# OpenAI's parameters",
        "",
        "What the gateway does with each parameter of OpenAI's two routes. *used*: it has its effect. "
        "*taken*: it is",
        "accepted and there is nothing to do. *refused*: only the values that ask for nothing are accepted, "
        "as the table",
        "says. Nothing is ignored; of a name that stands twice in a JSON object, the last counts.",
        "",
        "A value that is not accepted is one of two errors, and `param` names its field, inside another one, "
        "too:",
        "",
        "* **400** `chat_unsupported`: OpenAI's API has it, and this engine or Llama 3's prompt format has "
        "not. A list",
        "  that is longer or a number that is larger than is served here is such a value.",
        "* **422** `chat_invalid`: no service of this API could answer it: a wrong type, a number out of "
        "OpenAI's range, a",
        "  name that is no parameter, a required field that is missing.",
        "",
        "The column *errors* lists those that values of a parameter were seen to get.",
    ]
    for title, rows in (("POST /v1/chat/completions", CHAT), ("POST /v1/completions", COMPLETION)):
        parts += ["", f"## {title}", "", "| parameter | | errors | what |", "|---|---|---|---|"]
        parts += [f"| `{row.name}` | {_WORDS[row.treatment]} | {_errors(row)} | {row.says} |" for row in rows]
    parts += [
        "",
        "Chats also end at the control tokens `<|eot_id|>` and `<|eom_id|>`. Which of them the model's",
        "`generation_config.json` lacks is found at each start of an engine and sent with every chat; where",
        "nobody can read that file, both are (`stop_set` in `GET /stats`).",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(document(), end="")
