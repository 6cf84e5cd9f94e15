import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "#testing/free-port.ts";
import { startTowline } from "#testing/processes.ts";
import { until } from "#testing/until.ts";
import { commandLine } from "../../support/command-line.ts";

test("`towline up` runs a server and an agent until it is asked to stop, and `towline uninstall` removes all of it", async () => {
  const home = await mkdtemp(join(tmpdir(), "towline-e2e-"));
  const [port, httpPort] = [await freePort(), await freePort()];
  const env = { TOWLINE_HOME: home, TOWLINE_PORT: String(port), TOWLINE_HTTP_PORT: String(httpPort) };
  const url = `http://127.0.0.1:${port}`;
  await using up = startTowline(["up", "--yes"], env, join(home, "up.log"));
  await until(() => up.said().includes("leases jobs"), { deadlineMs: 300_000, describe: up.said });
  expect(up.said()).toContain(`Towline serves at ${url}`);
  const token = /tw_[\w-]+/.exec(up.said())?.[0] ?? "";
  await using terminal = await commandLine();
  expect((await terminal.run("login", "--url", url, "--token", token)).code).toBe(0);
  expect((await terminal.run("status")).stdout).toContain("No services yet");

  await up.stop();
  expect(up.said()).toContain("stopping");
  expect((await terminal.run("status")).stderr).toContain("[server.unreachable]");
  await using removal = startTowline(["uninstall", "--yes"], env, join(tmpdir(), "towline-uninstall.log"));
  await until(() => !removal.running(), { deadlineMs: 180_000 });
  await rm(join(tmpdir(), "towline-uninstall.log"), { force: true });
  await expect(mkdir(home)).resolves.toBeUndefined();
  await rm(home, { recursive: true });
});

test("a setting that does not exist is refused with the one that was probably meant", async () => {
  const log = join(tmpdir(), `towline-setting-${process.pid}.log`);
  await using server = startTowline(["server"], { TOWLINE_HOME: "/nonexistent", TOWLINE_HTTP_PROT: "1" }, log);
  await until(() => !server.running(), { deadlineMs: 180_000 });
  expect(server.said()).toMatch(/TOWLINE_HTTP_PROT is not a setting \[config\.invalid\]\n.*TOWLINE_HTTP_PORT/);
  await rm(log, { force: true });
});

test("a kept session that cannot be read is no session", async () => {
  const folder = await mkdtemp(join(tmpdir(), "towline-session-"));
  await mkdir(join(folder, "towline"));
  await writeFile(join(folder, "towline/session.json"), "{ half");
  await using terminal = await commandLine({ config: folder });
  const said = await terminal.run("status", "--url", "http://127.0.0.1:9");
  expect(said.stderr).toContain("[server.unreachable]");
  await rm(folder, { recursive: true });
});
