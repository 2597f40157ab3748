// OpenAI's JavaScript client, as its package index has it, against what runs at the addresses in the
// environment: STACK_URL, gateway and engine; FRONT_URL, a gateway with keys in front of a double of the
// engine; FRONT_KEY, a key that may have one chat at once; DOUBLE_URL, where the double is told what to do.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { beforeEach, describe, test } from "node:test";

import OpenAI from "openai";

const { STACK_URL, FRONT_URL, FRONT_KEY, DOUBLE_URL } = process.env;
const LIMIT_MS = 60_000;
const STORY = [{ role: "user", content: "What is the story about the fox and the grapes?" }];
const HELLO = [{ role: "user", content: "Hello there" }];

const client = (url, apiKey = "none", more = {}) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: LIMIT_MS, ...more });

async function told(path, body = {}) {
  const answer = await fetch(`${DOUBLE_URL}/_double/${path}`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.text());
}

async function untilRunning(url, expected) {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const stats = await (await fetch(`${url}/stats`)).json();
    if (stats.running === expected) return;
    assert.ok(Date.now() < deadline, `running: ${stats.running}, never ${expected}`);
    await pause(10);
  }
}

async function raised(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was raised");
}

describe("against gateway and engine", () => {
  const sdk = client(STACK_URL);
  const asked = { model: "tgi", messages: STORY, temperature: 0, max_tokens: 200 };

  test("lists the model and finds it by its name", async () => {
    const { data } = await sdk.models.list();

    assert.equal(data.length, 1);
    assert.equal((await sdk.models.retrieve(data[0].id)).id, data[0].id);
    assert.ok(data[0].context_window > 0);
  });

  test("reads a chat whole and in pieces, with its usage", async () => {
    const { data: whole, request_id: identity } = await sdk.chat.completions.create(asked).withResponse();
    const stream = await sdk.chat.completions.create({
      ...asked,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const last = chunks.pop();

    assert.match(whole.choices[0].message.content, /grapes/);
    assert.equal(whole._request_id, identity);
    assert.equal(chunks.map((one) => one.choices[0].delta.content ?? "").join(""), whole.choices[0].message.content);
    assert.deepEqual(chunks.map((one) => one.choices[0].finish_reason).filter(Boolean), ["stop"]);
    assert.deepEqual([last.choices, last.usage], [[], whole.usage]);
    assert.equal(whole.usage.prompt_tokens + whole.usage.completion_tokens, whole.usage.total_tokens);
  });

  test("collects a stream with its helper", async () => {
    const whole = await sdk.chat.completions.create(asked);
    const stream = sdk.chat.completions.stream(asked);

    assert.equal(await stream.finalContent(), whole.choices[0].message.content);
  });

  test("reads several answers, whole and in pieces", async () => {
    const several = { ...asked, temperature: 2, seed: 5, n: 3, max_tokens: 60 };
    const whole = await sdk.chat.completions.create(several);
    const texts = ["", "", ""];
    for await (const chunk of await sdk.chat.completions.create({ ...several, stream: true })) {
      for (const { index, delta } of chunk.choices) texts[index] += delta.content ?? "";
    }

    assert.deepEqual(texts, whole.choices.map((one) => one.message.content));
    assert.deepEqual(whole.choices.map((one) => one.index), [0, 1, 2]);
    assert.ok(new Set(texts).size > 1);
  });

  test("completes a prompt", async () => {
    const prompt = { model: "tgi", prompt: "Once upon a time", temperature: 0, max_tokens: 8 };
    const whole = await sdk.completions.create(prompt);
    let text = "";
    for await (const chunk of await sdk.completions.create({ ...prompt, stream: true })) {
      text += chunk.choices[0]?.text ?? "";
    }

    assert.ok(text.length > 0);
    assert.equal(text, whole.choices[0].text);
  });

  test("frees the engine when it leaves, streamed or not", async () => {
    const long = { ...asked, messages: [{ role: "user", content: "Tell me a story about a brave little owl." }] };
    await untilRunning(STACK_URL, 0);

    const stream = await sdk.chat.completions.create({ ...long, stream: true });
    for await (const chunk of stream) {
      assert.equal(chunk.object, "chat.completion.chunk");
      stream.controller.abort();
    }
    await untilRunning(STACK_URL, 0);

    const leaving = new AbortController();
    const whole = raised(sdk.chat.completions.create(long, { signal: leaving.signal }));
    await untilRunning(STACK_URL, 1);
    leaving.abort();

    assert.ok((await whole) instanceof OpenAI.APIUserAbortError);
    await untilRunning(STACK_URL, 0);
  });
});

describe("where chats do not end well", () => {
  const sdk = client(FRONT_URL, FRONT_KEY);
  const asked = { model: "tgi", messages: HELLO };

  beforeEach(() => told("reset"));

  for (const [kind, change, status, code, param] of [
    [OpenAI.NotFoundError, { model: "gpt-unknown" }, 404, "model_unknown", "model"],
    [OpenAI.UnprocessableEntityError, { top_p: 7 }, 422, "chat_invalid", "top_p"],
    [OpenAI.BadRequestError, { logit_bias: { 5: 1 } }, 400, "chat_unsupported", "logit_bias"],
    [OpenAI.BadRequestError, { n: 9 }, 400, "chat_unsupported", "n"],
    [OpenAI.UnprocessableEntityError, { n: 0 }, 422, "chat_invalid", "n"],
    [OpenAI.BadRequestError, { max_tokens: 9999 }, 400, "prompt_too_long", "max_tokens"],
  ]) {
    for (const stream of [false, true]) {
      test(`${code} is ${kind.name}${stream ? ", streamed" : ""}`, async () => {
        const error = await raised(sdk.chat.completions.create({ ...asked, stream, ...change }));

        assert.ok(error instanceof kind, String(error));
        assert.deepEqual([error.status, error.code, error.param], [status, code, param]);
        assert.equal(error.requestID, error.error.request_id);
      });
    }
  }

  test("a wrong key is AuthenticationError", async () => {
    const error = await raised(client(FRONT_URL, "pk-wrong").models.list());

    assert.ok(error instanceof OpenAI.AuthenticationError, String(error));
    assert.equal(error.code, "key_invalid");
  });

  test("an overloaded engine is InternalServerError", async () => {
    await told("script", { fault: "overloaded", times: null });
    const error = await raised(sdk.chat.completions.create(asked));

    assert.ok(error instanceof OpenAI.InternalServerError, String(error));
    assert.deepEqual([error.status, error.code], [503, "engine_overloaded"]);
  });

  test("a spent quota is RateLimitError, and Retry-After is kept", async () => {
    await told("script", { fault: "stall", after: 1 });
    const held = await sdk.chat.completions.create({ ...asked, stream: true });
    await held[Symbol.asyncIterator]().next();
    const error = await raised(sdk.chat.completions.create(asked));
    assert.ok(error instanceof OpenAI.RateLimitError, String(error));
    assert.deepEqual([error.code, error.headers.get("retry-after")], ["quota_spent", "1"]);

    const seen = [];
    const watched = async (...request) => {
      const answer = await fetch(...request);
      seen.push([answer.status, performance.now()]);
      held.controller.abort();
      return answer;
    };
    const patient = client(FRONT_URL, FRONT_KEY, { maxRetries: 1, fetch: watched });
    const answer = await patient.chat.completions.create(asked);

    assert.equal(answer.choices[0].message.content, "Hello there");
    assert.deepEqual(seen.map(([status]) => status), [429, 200]);
    // Its own first pause is half a second at most; timers may fire a millisecond early.
    assert.ok(seen[1][1] - seen[0][1] >= 990, `${seen[1][1] - seen[0][1]} ms`);
  });

  test("a chat that would never end does when its reader leaves", async () => {
    await told("script", { fault: "stall", after: 1, times: null });

    const stream = await sdk.chat.completions.create({ ...asked, stream: true });
    for await (const chunk of stream) {
      assert.equal(chunk.object, "chat.completion.chunk");
      await untilRunning(FRONT_URL, 1);
      stream.controller.abort();
    }
    await untilRunning(FRONT_URL, 0);

    const leaving = new AbortController();
    const whole = raised(sdk.chat.completions.create(asked, { signal: leaving.signal }));
    await untilRunning(FRONT_URL, 1);
    leaving.abort();
    assert.ok((await whole) instanceof OpenAI.APIUserAbortError);
    await untilRunning(FRONT_URL, 0);
  });

  for (const fault of ["cut", "close", "generation"]) {
    test(`a stream that breaks raises: ${fault}`, async () => {
      await told("script", { reply: "one two three four", fault, after: 3 });
      let text = "";
      const reading = async () => {
        for await (const chunk of await sdk.chat.completions.create({ ...asked, stream: true })) {
          text += chunk.choices[0]?.delta.content ?? "";
        }
      };
      const error = await raised(reading());

      assert.ok(error instanceof OpenAI.APIError, String(error));
      assert.ok(["engine_failed", "engine_cut_off"].includes(error.code), String(error.code));
      assert.match(text, /^one/);
    });
  }
});
