/** The Docker Engine behind a socket of the test's own, which can break the way to it. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface EngineRelay extends AsyncDisposable {
  socketPath: string;
  /** Breaks every connection and takes no new one, as an engine that was killed. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function relayEngine(engine = "/var/run/docker.sock"): Promise<EngineRelay> {
  const folder = await mkdtemp(join(tmpdir(), "towline-engine-"));
  const socketPath = join(folder, "docker.sock");
  const open = new Set<Socket>();
  let server: Server | undefined;

  function relay(near: Socket): void {
    const far = connect(engine);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy()).on("close", () => (open.delete(one), other.destroy()));
    }
  }

  async function up(): Promise<void> {
    server = createServer({ allowHalfOpen: true }, relay);
    await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
  }

  async function down(): Promise<void> {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  }

  await up();
  return {
    socketPath,
    up,
    down,
    async [Symbol.asyncDispose]() {
      await down();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
