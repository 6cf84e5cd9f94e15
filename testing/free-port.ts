import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that systems give by themselves (Linux: `ip_local_port_range`), so that nobody is given it before it is used. */
const [first, afterLast] = [20_000, 32_768];

/** A TCP port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, afterLast);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  return promise;
}
