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
