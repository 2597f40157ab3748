"""Calls of tools: how one is asked for, and how it is read from an answer while that arrives.

Llama 3.1 writes a call as {"name": …, "parameters": {…}}, and nothing else in that turn; its format
has one call a turn. What does not begin like a call of a tool that there is, is text; so is a call whose
arguments are not what the tool takes, unless a grammar bound the model to make one: then it is an error.

Knows Llama 3.1's form of a call. Knows nothing of frames, requests or the engine.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.chat import Finish, Tool
from gateway.errors import EngineFailed
from gateway.fit import problem_of


def call_schema(schemas: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Give the schema of a call of one of some tools, whose arguments' schemas are given.

    Of several, the call stands in an object of its own: TGI takes no choice as a whole schema.
    """
    calls = [_one_call(name, schema) for name, schema in schemas.items()]
    if len(calls) == 1:
        return calls[0]
    return {"type": "object", "properties": {"function": {"anyOf": calls}}, "required": ["function"]}


def _one_call(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    named = {"type": "string", "const": name}
    return {
        "type": "object",
        "properties": {"name": named, "parameters": schema},
        "required": ["name", "parameters"],
    }


class CallReader:
    """Reads an answer that may be a call.

        undecided ──► text ◄────────────┐
            └──► arguments ──► closed ──┴► call ──► complete (more followed, which no turn of the model has)

    A call that is forced is one from its name on, and its arguments are handed on as they arrive. One that
    is not may still be text, so it is held back until its arguments are whole and were checked.

    Units: identity is the call's id, unique for ever; schemas are settled, or loosened where a call is
    not forced, one for each tool.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        schemas: Mapping[str, Mapping[str, Any]],
        *,
        is_forced: bool = False,
    ) -> None:
        self.identity = "call_" + secrets.token_urlsafe(18)
        self.name: str | None = None
        self._schemas = schemas
        self._is_forced = is_forced
        self._heads = {head: tool.name for tool in tools for head in _heads(tool.name)}
        self._held = ""
        self._is_text = self._is_followed = False
        self._begun: str | None = None
        self._arguments: list[str] = []
        self._depth = 0
        self._in_string = self._is_escaped = False

    @property
    def arguments(self) -> str:
        """Give the call's arguments so far, as JSON."""
        return "" if self.name is None else "".join(self._arguments)

    @property
    def is_closed(self) -> bool:
        """Say whether there is a call with all of its arguments."""
        return self.name is not None and self._is_whole

    @property
    def is_complete(self) -> bool:
        """Say whether there is a call, and something behind it."""
        return self.name is not None and self._is_followed

    @property
    def _is_whole(self) -> bool:
        return bool(self._arguments) and self._depth == 0

    def feed(self, text: str) -> tuple[str, str]:
        """Take the next piece; give what of it is text, and what is of a call's arguments."""
        if self._is_text:
            return text, ""
        if self.name is not None:
            return "", self._argue(text)
        self._held += text
        if self._begun is not None:
            self._argue(text)
            return self._judged()
        compact, ends = _compacted(self._held)
        for head, name in self._heads.items():
            if compact.startswith(head):
                self._begun = name
                given = self._argue(self._held[ends[len(head) - 1] :])
                if not self._is_forced:
                    return self._judged()
                self.name, self._held = name, ""
                return "", given
        if any(head.startswith(compact) for head in self._heads):
            return "", ""
        self._is_text = True
        return self.rest(), ""

    def _judged(self) -> tuple[str, str]:
        """Say what a call that is not forced has become: nothing yet, a call, or text."""
        if not self._is_whole:
            return "", ""
        if self._problem() is not None:
            return self.rest(), ""
        self.name, self._held = self._begun, ""
        return "", self.arguments

    def rest(self) -> str:
        """Give what was held back: it did not become a call, so it is text.

        Of a call that is forced there is none: its beginning, cut by the limit, is the grammar's, not a text.
        """
        if self.name is not None or (self._is_forced and not self._is_text):
            return ""
        self._is_text = True
        held, self._held = self._held, ""
        return held

    def end(self, finish: Finish) -> Finish:
        """Say how the answer ended.

        Raises: EngineFailed for a call that is broken off, or whose arguments break the tool's schema.
        """
        if self.name is None:
            if self._is_forced and finish is Finish.STOP:
                raise EngineFailed("the model did not call a tool, which it was made to")
            return finish
        if not self.is_closed:
            if finish is Finish.LENGTH:
                return finish
            raise EngineFailed("the model ended its answer inside a call")
        problem = self._problem() if self._is_forced else None
        if problem is not None:
            raise EngineFailed(f"the arguments of the call are not what the tool takes: {problem}")
        return Finish.TOOL_CALLS

    def _problem(self) -> str | None:
        """Say what is wrong with the arguments, None if nothing is."""
        try:
            given = orjson.loads("".join(self._arguments))
            return problem_of(given, self._schemas[self._begun or ""])
        except orjson.JSONDecodeError as error:
            return str(error)

    def _argue(self, text: str) -> str:
        """Take text from the arguments' opening brace on; give it up to their closing one."""
        for at, character in enumerate(text):
            if self._is_whole:
                # Behind the arguments come the braces around them. Anything else is a second thought.
                self._is_followed = self._is_followed or bool(text[at:].strip("} \t\r\n"))
                return ""
            if self._in_string:
                self._in_string = self._is_escaped or character != '"'
                self._is_escaped = character == "\\" and not self._is_escaped
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth == 0:
                    given = text[: at + 1]
                    self._arguments.append(given)
                    self._argue(text[at + 1 :])
                    return given
        if self._depth:
            self._arguments.append(text)
            return text
        return ""


def _heads(name: str) -> list[str]:
    """List the ways in which a call of a tool begins, without white space, up to its arguments."""
    own = [f'"name":"{name}","{word}":{{' for word in ("parameters", "arguments")]
    kinds = ("{", '{"type":"function",', '{"function":{')
    return [kind + one for kind in kinds for one in own]


def _compacted(text: str) -> tuple[str, list[int]]:
    """Leave out white space outside strings; give where each character that is left was.

    No name of a tool holds white space or an escape, so a head of a call loses nothing.
    """
    places, in_string = [], False
    for at, character in enumerate(text):
        if character == '"':
            in_string = not in_string
        if in_string or not character.isspace():
            places.append(at)
    return "".join(text[at] for at in places), places
