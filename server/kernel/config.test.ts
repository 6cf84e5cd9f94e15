import { expect, test } from "vitest";
import { isRefusal } from "#api/errors.ts";
import { configManual, readConfig } from "./config.ts";

test("the settings have defaults that serve on loopback", () => {
  const config = readConfig({ TOWLINE_HOME: "/srv/towline", PATH: "/bin" });
  expect(config).toMatchObject({ home: "/srv/towline", host: "127.0.0.1", port: 7300, httpPort: 8300 });
});

test("a misspelt setting is refused with the one that was meant", () => {
  expect(readConfig({ TOWLINE_HTTP_PROT: "80" })).toMatchObject({
    refused: "config.invalid",
    fix: "Did you mean TOWLINE_HTTP_PORT?",
  });
});

test("a value of the wrong kind is refused with its name", () => {
  const refused = readConfig({ TOWLINE_PORT: "eighty" });
  expect(isRefusal(refused) && refused.message).toContain("TOWLINE_PORT");
});

test("an empty value counts as not set, and the client's own variables are known", () => {
  expect(readConfig({ TOWLINE_PORT: "", TOWLINE_TOKEN: "tw_x", TOWLINE_URL: "http://x" })).toMatchObject({
    port: 7300,
  });
});

test("the manual has a meaning for every setting", () => {
  expect(configManual().filter(({ meaning }) => meaning === "")).toEqual([]);
});

test("a bucket comes with both halves of a key or none, and nothing of a bucket without its name", () => {
  const bucket = { TOWLINE_S3_BUCKET: "images", TOWLINE_S3_PREFIX: "towline/" };
  const key = { TOWLINE_S3_ACCESS_KEY_ID: "id", TOWLINE_S3_SECRET_ACCESS_KEY: "secret" };
  const credentials = { accessKeyId: "id", secretAccessKey: "secret" };
  expect(readConfig({})).toMatchObject({ s3: undefined });
  expect(readConfig(bucket)).toMatchObject({ s3: { bucket: "images", region: "us-east-1", credentials: undefined } });
  expect(readConfig({ ...bucket, ...key })).toMatchObject({ s3: { prefix: "towline/", credentials } });
  for (const wrong of [
    key,
    { TOWLINE_S3_ENDPOINT: "https://s3.example.com" },
    { ...bucket, TOWLINE_S3_ACCESS_KEY_ID: "id" },
    { ...bucket, TOWLINE_S3_PREFIX: "/no" },
    { ...bucket, TOWLINE_S3_ENDPOINT: "ftp://s3.example.com" },
  ])
    expect(readConfig(wrong)).toMatchObject({ refused: "config.invalid" });
});

test("rules for releases are read from words, and what is none is refused with its place and what to write", () => {
  const rules = [{ kind: "newest", count: 3 }];
  expect(readConfig({ TOWLINE_KEEP_RELEASES: "keep the last 3 releases" })).toMatchObject({
    keep: { releases: rules },
  });
  expect(readConfig({ TOWLINE_KEEP_RELEASES: "3" })).toMatchObject({
    refused: "config.invalid",
    message: "TOWLINE_KEEP_RELEASES: character 1: `3` is no rule",
    fix: "Write `the last 3 releases`.",
  });
});
