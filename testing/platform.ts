/** A whole Towline in a folder and on ports of its own: server and agent as processes that a test may kill. */
import { chmod, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "#client/client.ts";
import { removeInstallation } from "../cli/commands/uninstall.ts";
import { freePort } from "./free-port.ts";
import { startTowline, type TowlineProcess } from "./processes.ts";
import { until } from "./until.ts";

export interface Platform extends AsyncDisposable {
  home: string;
  url: string;
  /** Port of the load balancer. */
  httpPort: number;
  adminToken: string;
  client: Client;
  server: TowlineProcess;
  agent: TowlineProcess;
  /** Starts the server again after its end, with other settings where given, and waits until it is ready. */
  restartServer(settings?: Record<string, string>): Promise<void>;
  restartAgent(): Promise<void>;
  postgresPid(): Promise<number>;
  /** Server, agent and log: what a failed test prints. */
  logs(): Promise<string>;
}

const readyDeadlineMs = 300_000;

export async function startPlatform(
  settings: Record<string, string> = {},
  agentOptions: readonly string[] = [],
): Promise<Platform> {
  const home = await mkdtemp(join(tmpdir(), "towline-e2e-"));
  // As a home is: passable, so that PostgreSQL, which is another user where we are root, lives inside it.
  await chmod(home, 0o711);
  const [port, httpPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const env = { TOWLINE_HOME: home, TOWLINE_PORT: String(port), TOWLINE_HTTP_PORT: String(httpPort), ...settings };
  const logFile = (name: string) => join(home, `${name}.log`);
  const startServer = async (other: Record<string, string> = {}) => {
    const process = startTowline(["server"], { ...env, ...other }, logFile("server"));
    await untilReady(url, process);
    return process;
  };
  const server = await startServer();
  // It is said a moment after the server is ready.
  const adminToken = await tokenIn(() => server.said());
  const client = createClient({ url, token: adminToken });
  const agentToken = await readFile(join(home, "secrets", "agent-token"), "utf8");
  const startAgent = async () => {
    const settings = { ...env, TOWLINE_URL: url, TOWLINE_TOKEN: agentToken };
    // As `up` starts it: the machine is prepared, and it ends with the test.
    const words = ["agent", "--with-parent", "--capacity", "2", ...agentOptions];
    const process = startTowline(words, settings, logFile("agent"));
    await untilLeasing(process);
    return process;
  };
  const platform: Platform = {
    ...{ home, url, httpPort, adminToken, client, server, agent: await startAgent() },
    async restartServer(other) {
      platform.server = await startServer(other);
    },
    async restartAgent() {
      platform.agent = await startAgent();
    },
    postgresPid: async () =>
      Number((await readFile(join(home, "postgres/data/postmaster.pid"), "utf8")).split("\n")[0]),
    logs: async () =>
      (await Promise.all(["server", "agent"].map((name) => readFile(logFile(name), "utf8").catch(() => "")))).join(
        "\n── agent ──\n",
      ),
    async [Symbol.asyncDispose]() {
      await platform.agent.stop();
      if (!platform.server.running()) await platform.restartServer();
      await platform.server.stop();
      await removeInstallation(home, () => {});
    },
  };
  return platform;
}

async function tokenIn(said: () => string): Promise<string> {
  const find = () => /tw_[\w-]+/.exec(said())?.[0];
  await until(() => find() !== undefined, {
    deadlineMs: readyDeadlineMs,
    describe: () => `no token was said:\n${said().slice(-3000)}`,
  });
  return find() ?? "";
}

async function untilReady(url: string, process: TowlineProcess): Promise<void> {
  const isReady = () =>
    fetch(`${url}/api/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
  await until(
    async () => {
      if (!process.running()) throw new Error(`the server ended:\n${process.said().slice(-3000)}`);
      return isReady();
    },
    { deadlineMs: readyDeadlineMs, describe: () => `the server is not ready:\n${process.said().slice(-3000)}` },
  );
}

async function untilLeasing(process: TowlineProcess): Promise<void> {
  await until(
    () => {
      if (!process.running()) throw new Error(`the agent ended:\n${process.said().slice(-3000)}`);
      return process.said().includes("leases jobs");
    },
    { deadlineMs: readyDeadlineMs, describe: () => `the agent leases no jobs:\n${process.said().slice(-3000)}` },
  );
}
