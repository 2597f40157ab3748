"""What is scraped while strange callers come: no word of theirs becomes a label, and the page stays whole."""

import random
import re
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
# What breaks a page of lines with quoted values, and what is merely odd.
ODD = ['"} 1\nmine 1', "\\", "é" * 40, "a" * 4000, "{}", "# EOF", "gpt-4", "", "null", "../..", "\u2028", "0"]
SEED = 6


async def series(served: Served) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Read the page as a scraper does; give each series, and fail where it is none or an id is not plain."""
    page = (await served.client.get("/metrics", headers={"accept": OPENMETRICS})).text
    families = text_string_to_metric_families(page)  # type: ignore[no-untyped-call]
    samples = [sample for family in families for sample in family.samples]
    ids = [sample.exemplar.labels["request_id"] for sample in samples if sample.exemplar]

    assert [] == [each for each in ids if not re.fullmatch(r"[\w.:-]{1,118}", each, re.ASCII)]
    return {(sample.name, frozenset(sample.labels.items())) for sample in samples}


async def test_no_caller_makes_a_series(serve: Serve) -> None:
    """Models, names, sessions, ids and paths of a caller's own leave the series what they were."""
    served = await serve()
    chance = random.Random(SEED)
    # The first chat brings what was not known before: how long the engine's start took, its exemplars.
    plain: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}
    await served.client.post(CHAT, json=plain)
    before = await series(served)
    statuses = set()
    for _ in range(25):
        body = plain | {
            name: chance.choice(ODD) for name in ("model", "user") if chance.random() < 0.3
        }
        odd = chance.choice(ODD).encode("ascii", "ignore").decode().replace("\n", " ").strip() or "x"
        names = ("x-request-id", "paddock-session", "user-agent", "paddock-class")
        headers = {name: odd for name in names if chance.random() < 0.3}
        answer = await served.client.post(CHAT, json=body, headers=headers)
        statuses.add(answer.status_code)
        await served.client.get(f"/v1/models/{chance.choice(['a', '%22%7D', 'x' * 300])}", headers=headers)
        await served.client.post("/generate", json={"inputs": chance.choice(ODD)}, headers=headers)

    assert 200 in statuses
    assert before == await series(served)
