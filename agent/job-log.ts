import { isRefusal } from "#api/errors.ts";
import { type Assignment, logPartLimit, logTimesLimit } from "#api/endpoints/agent.ts";
import type { AgentClient } from "#client/job-server.ts";
import { brokerToken } from "./contracts/job-broker.ts";
import type { LateSecret } from "./attempt-records.ts";
import { createLogParts, type LogPart } from "./log-parts.ts";
import { isPassing } from "./passing.ts";
import { createReplayMasker } from "./replay-masker.ts";

export interface JobLog {
  /** Output of the job; awaiting it lets a slow server slow the job down. */
  write(bytes: Buffer): Promise<void>;
  /** A line of the agent's own, on a line of its own. */
  say(line: string): Promise<void>;
  /** A text with what the log hides hidden in it. */
  maskText(text: string): string;
  /**
   * All of it so far, as it is sent: with that, and with the secrets that came later, another process goes on with this log, by
   * writing again all that follows. Undefined when it is too long to be kept.
   */
  opening(onSecret: OnSecret): Promise<Buffer | undefined>;
  /** Masks one more value from now on. */
  addSecret(value: string): Promise<void>;
  /** Delivers the rest. */
  close(): Promise<void>;
}

/** Gets all secrets that were added since the opening, whenever there is one more. */
export type OnSecret = (secrets: LateSecret[]) => Promise<void>;

/** A log that another process began, and where it stands at the server. */
export interface BegunLog {
  /** What that process answered as `opening`. */
  opening: Buffer;
  lateSecrets: LateSecret[];
  onSecret: OnSecret;
  offset: number;
}

const newline = 10;
const longestOpening = 1024 * 1024;
/** Less than the client's own patience with a server that accepts and does not answer: the next try may find another. */
const sendMs = 10_000;

/** The log of one attempt: secrets masked before anything leaves this process, then parts that are sent until taken. */
export function openJobLog(
  client: AgentClient,
  { job, token, secrets, credentials }: Assignment,
  signal: AbortSignal,
  begun?: BegunLog,
): JobLog {
  const masker = createReplayMasker(
    [...Object.values(secrets), credentials.password, brokerToken(credentials)],
    begun?.lateSecrets,
  );
  const headers = { "towline-lease": token };
  const parts = createLogParts({
    ...{ signal, partBytes: logPartLimit, partTimes: logTimesLimit, from: begun?.offset ?? 0 },
    async send({ offset, bytes, times }) {
      const request = { params: { id: job }, headers, query: { offset, times: written(times) }, body: bytes };
      const answer = await client.appendLog(request, { signal, timeoutMs: sendMs });
      if (!isRefusal(answer)) return "taken";
      if (isPassing(answer)) throw new Error(answer.message);
      return "refused";
    },
  });
  const opening = createOpening();
  let atLineStart = true;
  let onSecret = begun?.onSecret;
  const send = (masked: Buffer) => {
    opening.add(masked);
    return parts.write(masked);
  };
  const write = (bytes: Buffer) => {
    if (bytes.length > 0) atLineStart = bytes.at(-1) === newline;
    return send(masker.push(bytes));
  };
  if (begun) {
    atLineStart = (begun.opening.at(-1) ?? newline) === newline;
    void send(begun.opening);
  }
  return {
    write,
    say: (line) => write(Buffer.from(`${atLineStart ? "" : "\n"}${line}\n`)),
    maskText: masker.maskText,
    async addSecret(value) {
      // Also where nobody will go on with this log, and so keeps none.
      const added = masker.add(value);
      await onSecret?.(added);
    },
    async opening(whenAdded) {
      // What it holds back must not reach over the seam: whoever goes on begins there too.
      await send(masker.restart());
      onSecret = whenAdded;
      return opening.end();
    },
    async close() {
      await send(masker.flush());
      await parts.close();
    },
  };
}

/** Keeps what comes until it is asked for, or too much. */
function createOpening() {
  let parts: Buffer[] | undefined = [];
  let size = 0;
  return {
    add(bytes: Buffer): void {
      size += bytes.length;
      if (size > longestOpening) parts = undefined;
      else parts?.push(bytes);
    },
    end(): Buffer | undefined {
      const whole = parts && Buffer.concat(parts);
      parts = undefined;
      return whole;
    },
  };
}

/** As the endpoint takes them: the first whole, each other as the time since the one before. */
function written(times: LogPart["times"]): string {
  return times.map(([byte, ms], at) => `${byte}:${Math.max(0, ms - (times[at - 1]?.[1] ?? 0))}`).join(",");
}
