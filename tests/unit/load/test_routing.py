"""What the comparison of ways to choose reads from a gateway's log, and how it is printed."""

import json

from tests.load.routing import Round, served_where, table, ways


def test_a_turn_is_known_where_the_one_before_was_served() -> None:
    """Only of the same conversation; a first turn counts for neither."""
    records = [
        ("0-0-0", "a"), ("0-0-1", "a"), ("0-1-0", "b"), ("1-0-0", "b"), ("0-0-2", "b"), ("1-0-1", "b"),
    ]  # fmt: skip
    log = b"\n".join(json.dumps({"request_id": name, "replica": at}).encode() for name, at in records)
    result = Round(first_tokens=[0.1] * 6, later_first_tokens=[0.1] * 3)
    served_where(log, result)

    assert [True, False, True] == result.kept
    assert {"a": 2, "b": 4} == result.by_engine
    assert 2 + len(ways()) == len(table({name: [result.row()] for name in ways()}).splitlines())
