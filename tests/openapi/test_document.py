"""What the OpenAPI document says, held against what a running gateway does.

Requests come from the document alone: right ones at the edges of every form, wrong ones in every
field, methods that no route has. They are the same each time, as what is drawn is drawn from a seed.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.core.result import Ok
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gateway.app import Gateway
from gateway.errors import leaves
from gateway.routes.native import NATIVE_PATHS
from gateway.settings import read_settings
from tests.contract.wire import LIMIT_SECONDS, ask
from tests.live.stack import Stack

SEED = 4
# Requests that are drawn for each route, right ones and as many wrong ones.
DRAWN = 10
# Requests at the edges of a route's forms; the longest form has some hundreds, so all are sent.
EDGES = 1000

# A JSON schema cannot say all rules of a chat: the order of roles, tools and their choice. They have
# their own tests, so here a chat in the right form may still be refused.
LOOSE = {"POST /v1/chat/completions", "POST /chat_tokenize"}
# What TGI refuses to read names the field in its sentence, after the path to it.
# A body that is no object at all has none.
_NAMED = re.compile(r"parameters|inputs|stream|paddock-|x-deadline|`\w+`| as JSON| \.: ", re.IGNORECASE)


def _document() -> dict[str, Any]:
    app: Any = Gateway(read_settings({})).app
    while not hasattr(app, "openapi"):
        app = app._app
    document: dict[str, Any] = app.openapi()
    return document


DOCUMENT = _document()
SCHEMA = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=schemathesis.Config.from_dict(
        {
            "seed": SEED,
            # It goes on for as long as somebody listens.
            "operations": [{"include-name": "GET /stats/stream", "max-stream-events": 1}],
        }
    ),
)
OPERATIONS = {
    found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)
}
FILLED = [
    label for label, operation in OPERATIONS.items() if operation.body or operation.headers or operation.query
]


def told_in_our_words(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """An error has a code that the document lists for its status, and a wrong field's name."""
    if response.status_code < 400 or response.headers["content-type"][0] != "application/json":
        return None
    answer = response.json()
    if "error_type" in answer:
        assert response.status_code != 422 or _NAMED.search(answer["error"]), answer
        return None
    if "error" not in answer:
        return None  # /ready, which says by its status that a chat would not be served
    error = answer["error"]
    if error["code"] == "method_unknown":
        assert (405, True) == (response.status_code, "allow" in response.headers)
        return None
    if error["code"] == "route_unknown":
        assert 404 == response.status_code  # a name that cannot stand in the path, so it is another
        return None
    documented = case.operation.definition.raw["responses"][str(response.status_code)]["description"]
    assert error["code"] in documented.split(", ")
    assert error["code"] not in ("chat_invalid", "chat_unsupported") or error["param"], error
    return None


def _whole(value: Any) -> Any:
    """Write 4.0 as 4: a JSON schema takes both for an integer, the wire's readers only the latter."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    return value


def _hold(stack: Stack, session: requests.Session, case: Case[Any]) -> None:
    response = case.call(stack.url, session, timeout=LIMIT_SECONDS)
    # How long an answer may be depends on the model and on the prompt, how many on the number of prompts.
    depends = (b'"prompt_too_long"', b"answers to all prompts")
    is_loose = case.operation.label in LOOSE or any(one in response.content for one in depends)
    case.validate_response(
        response,
        additional_checks=[told_in_our_words],
        excluded_checks=[positive_data_acceptance] if is_loose else [],
    )


def _edges(label: str) -> Iterator[Case[Any]]:
    operation = OPERATIONS[label]
    SCHEMA.coverage_unexpected_methods_seen.clear()
    return SCHEMA.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=SCHEMA.config.generation_for(operation=operation),
    )


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all requests."""
    with requests.Session() as opened:
        yield opened


def test_the_gateway_serves_this_document(stack: Stack) -> None:
    """It is the one that the tests below read, a valid one, and read whole."""
    described = {f"{method.upper()} {path}" for path, one in DOCUMENT["paths"].items() for method in one}

    assert DOCUMENT == ask(stack.port, "GET", "/openapi.json").document
    SCHEMA.validate()
    assert described == OPERATIONS.keys()


def test_every_reference_leads_somewhere() -> None:
    """A form that is pointed to is there."""
    found = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(DOCUMENT)))

    assert set() == found - DOCUMENT["components"]["schemas"].keys()
    assert str(DOCUMENT).count("'$ref'") == len(re.findall(r"'\$ref': '#/components/", str(DOCUMENT)))


def test_every_error_is_documented() -> None:
    """Each code stands at some route; an unknown path or method, and no whole request, stand at none."""
    told = {
        code
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        for answer in operation["responses"].values()
        for code in answer["description"].split(", ")
    }

    before = {"route_unknown", "method_unknown", "request_invalid", "request_timeout", "head_too_large"}
    assert before == {error.code for error in leaves()} - told


@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_keep_to_the_document_at_its_edges(
    stack: Stack, session: requests.Session, label: str
) -> None:
    """Right requests are served, wrong ones refused, and every answer has its status, type and form."""
    tried = 0
    for case in islice(_edges(label), EDGES):
        _hold(stack, session, case)
        tried += 1

    assert tried > 0


@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_keep_to_the_document_for_right_requests(
    stack: Stack, session: requests.Session, label: str
) -> None:
    """Whatever is drawn from the document."""

    @seed(SEED)
    @settings(max_examples=DRAWN, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(OPERATIONS[label].as_strategy(GenerationMode.POSITIVE))
    def hold(case: Case[Any]) -> None:
        case.body = _whole(case.body)
        _hold(stack, session, case)

    hold()


@pytest.mark.parametrize("label", FILLED)
def test_answers_keep_to_the_document_for_wrong_requests(
    stack: Stack, session: requests.Session, label: str
) -> None:
    """What breaks the document somewhere is refused in words."""

    @seed(SEED)
    @settings(max_examples=DRAWN, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(OPERATIONS[label].as_strategy(GenerationMode.NEGATIVE))
    def hold(case: Case[Any]) -> None:
        _hold(stack, session, case)

    hold()


@pytest.mark.parametrize("path", [*DOCUMENT["paths"]])
def test_a_method_that_a_route_does_not_have_is_refused(stack: Stack, path: str) -> None:
    """405 in the envelope, or in TGI's shape on its routes, and Allow names the methods that it has."""
    served = {method.upper() for method in DOCUMENT["paths"][path]}
    place = re.sub(r"\{\w+\}", "x", path)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - served:
        reply = ask(stack.port, method, place)

        error = reply.document["error"]
        told = reply.document["error_type"] if path in NATIVE_PATHS else error["code"]
        assert (405, "validation" if path in NATIVE_PATHS else "method_unknown") == (reply.status, told)
        assert served == set(reply.headers["allow"].split(", ")) - {"HEAD"}


def test_the_edges_hold_wrong_requests(stack: Stack) -> None:
    """Were none drawn, the tests above would pass over anything."""
    scenarios = {
        case.meta.phase.data.scenario
        for case in islice(_edges("POST /v1/completions"), EDGES)
        if case.meta is not None and isinstance(case.meta.phase.data, CoveragePhaseData)
    }

    assert scenarios >= {
        CoverageScenario.VALUE_ABOVE_MAXIMUM,
        CoverageScenario.INCORRECT_TYPE,
        CoverageScenario.OBJECT_UNEXPECTED_PROPERTIES,
        CoverageScenario.OBJECT_MISSING_REQUIRED_PROPERTY,
        CoverageScenario.UNSPECIFIED_HTTP_METHOD,
    }
