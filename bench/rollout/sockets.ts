/** WebSockets under way while releases come and go: short ones all the time, and some that stay until somebody cuts them. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

export interface SocketReport {
  opened: number;
  /** Messages that came back. */
  messages: number;
  /** That could not be opened, had no answer in time, or were short ones and were cut, by reason. */
  lost: Record<string, number>;
  /** Ones that were to stay and were cut. */
  cut: number;
}

export interface Sockets extends AsyncDisposable {
  /** While the work is done, so many stay open; one that is cut is opened again. */
  staying<T>(count: number, work: () => Promise<T>): Promise<T>;
  /** Opens no more, lets the short ones end. */
  stop(): Promise<SocketReport>;
}

/** A short one lives for less than the drain time, so that no rollout has a reason to cut it. */
const lifeMs = 1_500;
const openEveryMs = 250;
const sayEveryMs = 250;
const answerMs = 10_000;

export function startSockets({ url, host }: { url: string; host: string }): Sockets {
  const report: SocketReport = { opened: 0, messages: 0, lost: {}, cut: 0 };
  const under = new Set<Promise<void>>();
  const lose = (error: unknown) => {
    const reason = (error as Error).message;
    report.lost[reason] = (report.lost[reason] ?? 0) + 1;
  };
  const open = () => talk({ url, host, report });
  const short = async () => {
    const ends = performance.now() + lifeMs;
    await (
      await open()
    )(() => performance.now() < ends);
  };
  const timer = setInterval(() => {
    const one: Promise<void> = short()
      .catch(lose)
      .finally(() => under.delete(one));
    under.add(one);
  }, openEveryMs);
  const stay = async (goesOn: () => boolean) => {
    while (goesOn()) {
      const goOn = await open().catch(lose);
      await goOn?.(goesOn).catch(() => void (report.cut += 1));
    }
  };
  const stop = async () => {
    clearInterval(timer);
    await Promise.all(under);
    return report;
  };
  return {
    async staying(count, work) {
      let open = true;
      const all = Array.from({ length: count }, () => stay(() => open));
      try {
        return await work();
      } finally {
        open = false;
        await Promise.all(all);
      }
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Opens one; what it answers talks over it until told to stop, and rejects when it is cut or has no answer. */
async function talk({ url, host, report }: { url: string; host: string; report: SocketReport }) {
  const socket = new WebSocket(url, { headers: { host }, handshakeTimeout: answerMs });
  const closed = once(socket, "close").then(([code]) => {
    throw new Error(`closed with ${code}`);
  });
  closed.catch(() => {});
  await Promise.race([once(socket, "open"), closed]);
  report.opened += 1;
  return async (goesOn: () => boolean): Promise<void> => {
    for (let count = 0; goesOn(); count++) {
      const answer = once(socket, "message", { signal: AbortSignal.timeout(answerMs) });
      answer.catch(() => {});
      socket.send(String(count));
      const [said] = await Promise.race([answer, closed]);
      if (String(said) !== String(count)) throw new Error(`answered ${said} to ${count}`);
      report.messages += 1;
      await sleep(sayEveryMs);
    }
    socket.close();
    await closed.catch(() => {});
  };
}
