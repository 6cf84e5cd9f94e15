import { expect } from "vitest";
import type { Platform } from "#testing/platform.ts";
import { type CommandLine, commandLine } from "../../support/command-line.ts";
import { done, failed } from "../../support/said.ts";

const password = "nobody looks over my shoulder";

export async function setPasswords(platform: Platform, dana: CommandLine): Promise<void> {
  expect(failed(await dana.feed(`${password}\n`, "user", "password", "lea"), 2)).toContain("[auth.forbidden]");
  expect(failed(await dana.feed("too short\n", "user", "password", "dana"), 2)).toContain("12 characters or more");
  expect(done(await dana.feed(`${password}\n`, "user", "password", "dana"))).toBe("the password of dana is set\n");
  const entered = await fetch(`${platform.url}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: platform.url },
    body: JSON.stringify({ name: "dana", password }),
  });
  expect([entered.status, await entered.json()]).toEqual([200, { name: "dana", role: "developer" }]);
  await using admin = await commandLine({ url: platform.url, token: platform.adminToken });
  expect(done(await admin.feed(`${password}!\n`, "user", "password", "dana"))).toBe(
    "the password of dana is set, and 1 browser session ended\n",
  );
  expect(done(await admin.run("user", "list"))).toMatch(/^dana +developer +\S+ +\d+s$/m);
}
