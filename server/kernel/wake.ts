/** One connection that LISTENs for the whole process and wakes whoever waits on a channel. */
import pg from "pg";
import type { Log } from "./log.ts";

export interface Wake extends AsyncDisposable {
  /**
   * Calls back at every notification on the channel with what it says, and once after every reconnection with nothing: some may
   * have been lost. Returns the way to stop.
   */
  on(channel: string, callback: (words?: string) => void): () => void;
}

const reconnectAfterMs = 500;

export async function openWake(url: string, log: Log): Promise<Wake> {
  const callbacks = new Map<string, Set<(words?: string) => void>>();
  let client: pg.Client | undefined;
  let closed = false;
  let asked: Promise<unknown> = Promise.resolve();

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, application_name: "towline-wake" });
    next.on("error", (error) => log.debug({ err: error }, "the wake connection was lost"));
    next.on("notification", ({ channel, payload }) => callbacks.get(channel)?.forEach((callback) => callback(payload)));
    next.on("end", () => {
      if (!closed && client === next) retry();
    });
    await next.connect();
    for (const channel of callbacks.keys()) await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    client = next;
    callbacks.forEach((set) => set.forEach((callback) => callback()));
  }

  function retry(): void {
    setTimeout(() => {
      if (!closed) connect().catch(retry);
    }, reconnectAfterMs);
  }

  /** One after another: a connection does one thing at a time. */
  function listen(channel: string): void {
    const on = client;
    asked = asked
      .then(() => on?.query(`listen ${pg.escapeIdentifier(channel)}`))
      .catch((error: unknown) => log.debug({ err: error }, "listen failed"));
  }

  await connect();
  return {
    on(channel, callback) {
      const set = callbacks.get(channel) ?? new Set();
      if (set.size === 0) {
        callbacks.set(channel, set);
        listen(channel);
      }
      set.add(callback);
      return () => set.delete(callback);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await client?.end();
    },
  };
}
