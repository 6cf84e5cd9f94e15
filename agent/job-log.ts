import { isRefusal } from "#api/errors.ts";
import { type Assignment, logChunkLimit } from "#api/endpoints/agent.ts";
import type { Client } from "#client/client.ts";
import { createLogChunks } from "./log-chunks.ts";
import { createMasker } from "./masking.ts";
import { isPassing } from "./passing.ts";

export interface JobLog {
  /** Output of the job; awaiting it lets a slow server slow the job down. */
  write(bytes: Buffer): Promise<void>;
  /** A line of the agent's own, on a line of its own. */
  say(line: string): Promise<void>;
  /** Delivers the rest. */
  close(): Promise<void>;
}

const newline = 10;
/** Less than the client's own patience with a server that accepts and does not answer: the next try may find another. */
const sendMs = 10_000;

/** The log of one attempt: secrets masked before anything leaves this process, then chunks that are sent until taken. */
export function openJobLog(
  client: Client,
  { job, token, secrets, credentials }: Assignment,
  signal: AbortSignal,
): JobLog {
  const masker = createMasker([...Object.values(secrets), credentials.password]);
  const chunks = createLogChunks({
    signal,
    chunkBytes: logChunkLimit,
    async send({ sequence, offset, bytes }) {
      const body = { token, sequence, offset, data: bytes.toString("base64") };
      const answer = await client.appendLog({ params: { id: job }, body }, { signal, timeoutMs: sendMs });
      if (!isRefusal(answer)) return "taken";
      if (isPassing(answer)) throw new Error(answer.message);
      return "refused";
    },
  });
  let atLineStart = true;
  const write = (bytes: Buffer) => {
    if (bytes.length > 0) atLineStart = bytes.at(-1) === newline;
    return chunks.write(masker.push(bytes));
  };
  return {
    write,
    say: (line) => write(Buffer.from(`${atLineStart ? "" : "\n"}${line}\n`)),
    async close() {
      await chunks.write(masker.flush());
      await chunks.close();
    },
  };
}
