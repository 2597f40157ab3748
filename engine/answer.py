"""Whole answers: one generation, or the best of several, with where the time went.

Knows: how TGI picks the best, and what it records of a request.
Knows nothing of: HTTP.
"""

import asyncio

from engine.body import Body
from engine.errors import EngineError, Incomplete
from engine.generation import Step
from engine.inference import Inference
from engine.request import check_best_of
from engine.run import Run
from engine.wire import Answer, Times


async def answer_all(inference: Inference, body: Body) -> tuple[Times, list[Answer]]:
    """Generate as often as the request asks, and give the best answer first.

    The best has the highest mean log-probability per token. Each alternative takes a permit and a slot.

    Cancel: all of them are closed.
    Raises: EngineError of the first that fails.
    """
    count = body.parameters.best_of or 1
    if count == 1:
        run, answer = await _one(inference, body)
        return record(inference, run), [answer]
    check_best_of(count)
    failed: EngineError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_one(inference, body)) for _ in range(count)]
    except* EngineError as failures:
        # Raised outside: what is raised inside this block arrives in a group on Python 3.11.2.
        failed = _first(failures)
    if failed is not None:
        raise failed
    results = sorted((task.result() for task in tasks), key=lambda result: -_mean_logprob(result[1].steps))
    return record(inference, results[0][0]), [answer for _, answer in results]


def record(inference: Inference, run: Run) -> Times:
    """Record a finished request, and give its times."""
    now, metrics = inference.clock(), inference.metrics
    tokens = run.finish.tokens if run.finish is not None else 0
    times = Times(
        total=now - run.began,
        validation=run.queued - run.began,
        queue=run.started - run.queued,
        inference=now - run.started,
        per_token=(now - run.started) / max(1, tokens),
    )
    metrics.count("tgi_request_success")
    metrics.observe("tgi_request_duration", times.total)
    metrics.observe("tgi_request_validation_duration", times.validation)
    metrics.observe("tgi_request_queue_duration", times.queue)
    metrics.observe("tgi_request_inference_duration", times.inference)
    metrics.observe("tgi_request_mean_time_per_token_duration", times.per_token)
    metrics.observe("tgi_request_generated_tokens", tokens)
    metrics.summarise("tgi_request_skipped_tokens", 0)
    return times


async def _one(inference: Inference, body: Body) -> tuple[Run, Answer]:
    run = await inference.begin(body)
    try:
        steps: list[Step] = []
        while run.finish is None:
            steps += await run.read()
    finally:
        run.close()
    if run.finish is None:
        raise Incomplete
    return run, Answer(steps, run.finish, run.seed, len(run.budget.prompt))


def _mean_logprob(steps: list[Step]) -> float:
    return sum(step.token.logprob or 0.0 for step in steps) / max(1, len(steps))


def _first(failures: BaseExceptionGroup[EngineError]) -> EngineError:
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, EngineError):
        raise error
    return error
