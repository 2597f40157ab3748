"""What an engine must show at each start before a chat is sent there.

TGI's wire tells neither its stop set nor whether a model was made for chats; the supervisor does, from the
model's files. An engine without one leaves that unknown, which is said.

Knows Llama 3's control tokens. Knows nothing of phases.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.chat import Sampling
from gateway.control import StopTokens
from gateway.prompt import ENDS
from gateway.tgi import Tgi, generate_body

_HEADERS = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
# Where an answer of any Llama 3 ends; the last is a base model's habit that tuned ones keep at times.
FAMILY_ENDS = (*ENDS, "<|end_of_text|>")
_PROBE = f"<|start_header_id|>user<|end_header_id|>\n\nHi{''.join(FAMILY_ENDS)}"


class StopSet(StrEnum):
    """How it is made sure that an answer ends where the template says."""

    OWN = "own"  # the engine stops at every end by itself
    SENT = "sent"  # ends that it lacks go with every chat, as stop texts
    UNKNOWN = "unknown"  # nobody could say, so all go with every chat


@dataclass(frozen=True, slots=True)
class Proof:
    """What an engine showed.

    Shape: sent are the ends that go with every chat; problem is why no chat may be sent there, None if one
    may.
    Units: begin_of_text is how many such tokens the tokenizer adds; 1 is right.
    """

    begin_of_text: int
    stop_set: StopSet
    sent: tuple[str, ...]
    problem: str | None = None


async def prove(tgi: Tgi, told: StopTokens | None) -> Proof:
    """Check begin-of-text, headers and stop set, then let the engine generate a token.

    Raises: EngineError when it cannot answer.
    """
    spans = await tgi.tokenize(_PROBE)
    automatic = [span for span in spans if span.start == span.stop]
    tokens = {span.text for span in spans}
    sent: tuple[str, ...]
    if told is None:
        stop_set, sent = StopSet.UNKNOWN, tuple(ENDS)
    else:
        # What is no token of its vocabulary it cannot write.
        sent = tuple(end for end in FAMILY_ENDS if end in tokens and end not in told.texts)
        stop_set = StopSet.SENT if sent else StopSet.OWN
    missing = [name for name in _HEADERS if name not in tokens]
    problem = None
    if len(automatic) != 1 or spans[0] is not automatic[0]:
        problem = f"the tokenizer adds {len(automatic)} begin-of-text tokens where a Llama 3 prompt has one"
    elif missing:
        problem = f"not a Llama 3 chat model: {', '.join(missing)} is no token of its vocabulary"
    elif told is not None and not told.is_chat:
        ends = ", ".join(sorted(told.texts))
        problem = (
            f"a base model, not made for chats: by {told.source} it ends at {ends} alone, and it has no chat "
            "template; choose its Instruct variant"
        )
    if problem is None:
        await tgi.generate(generate_body("Hi", Sampling(), 1), lambda _: True)
    return Proof(len(automatic), stop_set, sent, problem)
