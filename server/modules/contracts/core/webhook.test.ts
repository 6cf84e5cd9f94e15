import { expect, test } from "vitest";
import {
  hidden,
  maskedBody,
  maskedUrl,
  outgoing,
  pauseAfter,
  shown,
  uses,
  type WebhookRequest,
  withKept,
} from "./webhook.ts";

const request = (more: Partial<WebhookRequest>): WebhookRequest => ({
  ...{ method: "POST", url: "https://ci.example.com/build", headers: {}, body: null },
  ...more,
});

test("variables are filled in where they stand: encoded in an address, as JSON in JSON, as they are elsewhere", () => {
  const name = 'we"b/ü&x';
  const template = "${pactbroker.consumerName}";
  const made = (more: Partial<WebhookRequest>) => outgoing(request(more), { consumerName: name });
  expect(made({ url: `https://ci.example.com/${template}?of=${template}` }).url).toBe(
    "https://ci.example.com/we%22b%2F%C3%BC%26x?of=we%22b%2F%C3%BC%26x",
  );
  expect(JSON.parse(made({ body: { text: `of ${template}` } }).body)).toEqual({ text: `of ${name}` });
  expect(JSON.parse(made({ body: `{"text":"${template}"}` }).body)).toEqual({ text: name });
  expect(made({ body: `of ${template}` }).body).toBe(`of ${name}`);
  expect(made({ headers: { "X-Of": template } }).headers).toEqual({ "x-of": name });
});

test("what nobody knows is empty, and a variable that there is not stays as it is written", () => {
  const body = "${pactbroker.providerVersionBranch}|${pactbroker.nonsense}|${HOME}";
  expect(outgoing(request({ body }), {}).body).toBe("|${pactbroker.nonsense}|${HOME}");
  expect(uses(request({ body }), "providerVersionBranch")).toBe(true);
  expect(uses(request({ body }), "pactUrl")).toBe(false);
});

test("JSON has its type and a user its password, unless a header says otherwise", () => {
  const given = request({ body: { a: 1 }, username: "me", password: "pw" });
  expect(outgoing(given, {}).headers).toEqual({
    "content-type": "application/json",
    authorization: `Basic ${Buffer.from("me:pw").toString("base64")}`,
  });
  expect(outgoing({ ...given, headers: { "Content-Type": "text/x" } }, {}).headers["content-type"]).toBe("text/x");
});

const secrets = request({
  url: "https://ci.example.com/build?token=abc&ref=main",
  headers: { Authorization: "Bearer abc", Accept: "*/*" },
  body: { ref: "main", inputs: [{ api_key: "abc", name: "x" }] },
  ...{ username: "me", password: "abc" },
});

test("what people read holds no secret", () => {
  expect(JSON.stringify(shown(secrets))).not.toContain("abc");
  expect(shown(secrets)).toMatchObject({
    ...{ url: `https://ci.example.com/build?token=${hidden}&ref=main`, headers: { Accept: "*/*" } },
    body: { ref: "main", inputs: [{ name: "x" }] },
  });
  expect(maskedBody("ref=main&token=abc")).toBe(`ref=main&token=${hidden}`);
  expect(maskedBody('{"secret": "a-b", "x": 1}')).toBe(`{"secret": "${hidden}", "x": 1}`);
  expect(maskedUrl("https://x.example/?a=1")).toBe("https://x.example/?a=1");
});

test("what is sent back as it was shown keeps its secrets, and what is new replaces them", () => {
  const back: WebhookRequest = shown(secrets);
  expect(withKept(back, secrets)).toEqual(secrets);
  const changed = withKept({ ...back, password: "new", headers: { Authorization: "Bearer new" } }, secrets);
  expect(changed).toMatchObject({ password: "new", headers: { Authorization: "Bearer new" } });
  expect(withKept(back, undefined)).toEqual(back);
});

test("it is tried seven times, later and later", () => {
  expect([1, 2, 3, 4, 5, 6, 7].map(pauseAfter)).toEqual([10, 60, 120, 300, 600, 1200, undefined]);
});
