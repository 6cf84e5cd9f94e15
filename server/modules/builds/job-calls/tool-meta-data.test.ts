import { expect, test } from "vitest";
import { files, mustLease, push } from "#testing/build-hands.ts";
import { openBuildsPlace } from "#testing/builds-place.ts";
import { toolOf } from "#testing/tool-call.ts";

test("buildkite-agent meta-data: set, get, exists and keys", async () => {
  await using place = await openBuildsPlace();
  const server = await place.server();
  const { id } = await push(place, server, { files: files("steps:\n  - command: one\n") });
  const { call, feed } = toolOf(server.url, await mustLease(server));
  const silent = { status: 0, stdout: "", stderr: "" };
  expect(await call("meta-data", "set", "release", "1.2")).toEqual(silent);
  expect(await feed("line one\nline two\n", "meta-data", "set", "notes")).toEqual(silent);
  expect(await call("meta-data", "get", "notes")).toEqual({ ...silent, stdout: "line one\nline two\n" });
  expect(await call("meta-data", "get", "--default", "x", "release")).toEqual({ ...silent, stdout: "1.2" });
  expect(await call("meta-data", "get", "other", "--default", "x y")).toEqual({ ...silent, stdout: "x y" });
  expect(await call("meta-data", "get", "other", "--default=")).toEqual(silent);
  expect(await call("meta-data", "exists", "release")).toEqual(silent);
  expect(await call("meta-data", "exists", "other")).toEqual({ ...silent, status: 100 });
  expect(await call("meta-data", "keys")).toEqual({ ...silent, stdout: "notes\nrelease\n" });
  expect(await call("meta-data", "get", "release", "--build", id)).toEqual({ ...silent, stdout: "1.2" });
  expect(await call("meta-data", "get", "other")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/no meta-data other/),
  });
  expect(await call("meta-data", "set", "k", " \n")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/nothing but blanks/),
  });
  expect(await feed("x".repeat(102_401), "meta-data", "set", "k")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/102400 bytes/),
  });
  expect(await call("meta-data", "set", "k", "the key is hush")).toEqual(silent);
  expect(await call("meta-data", "get", "k")).toEqual({ ...silent, stdout: "the key is ***" });
});
