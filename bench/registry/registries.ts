/** The two registries that are held against each other. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "#testing/free-port.ts";
import { startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { findProgram } from "../../tools/host/programs.ts";

export interface Registry extends AsyncDisposable {
  side: "ours" | "theirs";
  /** Process of the registry. */
  pid: number;
  /** Host and port. */
  host: string;
  /** Password, where one is needed. */
  token: string | undefined;
  /** Removes all that was pushed to the bench's repository. */
  empty(): Promise<void>;
}

export const repository = "bench/image";

export async function startOwnRegistry(): Promise<Registry> {
  const platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  const { host } = new URL(platform.url);
  const token = platform.adminToken;
  return {
    side: "ours",
    pid: platform.server.pid,
    host,
    token,
    empty: () => deleteAll(platform.url, `Basic ${Buffer.from(`bench:${token}`).toString("base64")}`),
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

interface Manifest {
  config?: { digest: string };
  layers?: { digest: string }[];
}

/** As a person would: by the protocol. */
async function deleteAll(url: string, authorization: string): Promise<void> {
  const base = `${url}/v2/${repository}`;
  const call = (method: string, path: string) => fetch(base + path, { method, headers: { authorization } });
  const found = await call("GET", "/manifests/latest");
  if (!found.ok) return;
  const { config, layers = [] } = (await found.json()) as Manifest;
  await call("DELETE", `/manifests/${found.headers.get("docker-content-digest")}`);
  for (const part of [config, ...layers]) if (part) await call("DELETE", `/blobs/${part.digest}`);
}

/** Debian's `docker-registry` as it is, with a folder for storage and no authentication. */
export async function startDebianRegistry(folder: string): Promise<Registry> {
  const host = `127.0.0.1:${await freePort()}`;
  const storage = join(folder, "debian");
  const settings = join(folder, "debian.json");
  await mkdir(storage);
  // JSON is YAML.
  const configuration = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: host },
  };
  await writeFile(settings, JSON.stringify(configuration));
  const program = (await findProgram("docker-registry")) ?? "docker-registry";
  const child = spawn(program, ["serve", settings], { stdio: "ignore" });
  const exited = once(child, "exit");
  const answers = () =>
    fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(answers, { deadlineMs: 20_000, describe: () => "Debian's docker-registry does not answer" });
  return {
    side: "theirs",
    pid: child.pid ?? 0,
    host,
    token: undefined,
    empty: () => rm(join(storage, "docker"), { recursive: true, force: true }),
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}
