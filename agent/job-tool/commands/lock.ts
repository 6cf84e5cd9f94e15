import { type Command, type CommandCall, ToolFailure } from "../command.ts";
import type { Flag } from "../flags.ts";

const flags: Record<string, Flag> = {
  "lock-scope": { takes: "word", help: "Only `machine`: all jobs of this agent." },
  "lock-wait-timeout": {
    takes: "word",
    variable: "BUILDKITE_LOCK_WAIT_TIMEOUT",
    help: "How long to wait, as 30s or 5m.",
  },
  "sockets-path": { takes: "word", help: "Without meaning here." },
};

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** What ends the waiting: the caller has gone, or its patience. */
function patience({ flags: given, tool }: CommandCall): AbortSignal {
  const word = given.word("lock-wait-timeout");
  if (word === undefined || word === "0") return tool.signal;
  const [, count, unit = ""] = /^(\d{1,6})(ms|s|m|h)$/.exec(word) ?? [];
  if (count === undefined) throw new ToolFailure(`${word} is no time; write 30s or 5m`);
  return AbortSignal.any([tool.signal, AbortSignal.timeout(Number(count) * (units[unit] ?? 1))]);
}

const keyOf = ({ args }: CommandCall) => args[0] ?? "";
const ownerOf = ({ job }: CommandCall) => job.assignment.token;

async function waited<T>(call: CommandCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = patience(call);
  return work(signal).catch((error: unknown) => {
    throw signal.aborted ? new ToolFailure(`the lock ${keyOf(call)} was not free in time`) : error;
  });
}

export const lock: Record<string, Command> = {
  acquire: {
    usage: "KEY",
    summary: "Wait for a lock of this agent and print the token that releases it.",
    args: { least: 1, most: 1 },
    flags,
    async run(call) {
      const token = await waited(call, (signal) => call.job.locks.acquire(keyOf(call), ownerOf(call), signal));
      await call.tool.out(`${token}\n`);
    },
  },
  release: {
    usage: "KEY TOKEN",
    summary: "Release a lock; what a job still holds at its end is released too.",
    args: { least: 2, most: 2 },
    flags,
    async run({ args: [key = "", token = ""], job }) {
      if (!job.locks.release(key, token)) throw new ToolFailure(`the lock ${key} is not held by this token`);
    },
  },
  do: {
    usage: "KEY",
    summary: "Print `do` to the first that asks, and `done` to the others once the work is done.",
    args: { least: 1, most: 1 },
    flags,
    async run(call) {
      await call.tool.out(
        `${await waited(call, (signal) => call.job.locks.doOnce(keyOf(call), ownerOf(call), signal))}\n`,
      );
    },
  },
  done: {
    usage: "KEY",
    summary: "Say that the work is done that `lock do` began.",
    args: { least: 1, most: 1 },
    flags,
    async run({ args: [key = ""], job }) {
      if (!job.locks.done(key)) throw new ToolFailure(`nobody has begun ${key} with \`lock do\``);
    },
  },
  get: {
    usage: "KEY",
    summary: "Print how a lock stands; an empty line when it is free.",
    args: { least: 1, most: 1 },
    flags,
    run: ({ args: [key = ""], job, tool }) => tool.out(`${job.locks.state(key)}\n`),
  },
};
