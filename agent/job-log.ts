import { isRefusal } from "#api/errors.ts";
import type { Assignment } from "#api/endpoints/agent.ts";
import type { Client } from "#client/client.ts";
import { createLogChunks } from "./log-chunks.ts";
import { createMasker } from "./masking.ts";

export interface JobLog {
  /** Output of the job; awaiting it lets a slow server slow the job down. */
  write(bytes: Buffer): Promise<void>;
  /** A line of the agent's own. */
  say(line: string): Promise<void>;
  /** Delivers the rest. */
  close(): Promise<void>;
}

/** The log of one attempt: secrets masked before anything leaves this process, then chunks that are sent until taken. */
export function openJobLog(
  client: Client,
  { job, token, secrets, credentials }: Assignment,
  signal: AbortSignal,
): JobLog {
  const masker = createMasker([...Object.values(secrets), credentials.password]);
  const chunks = createLogChunks({
    signal,
    async send({ sequence, offset, bytes }) {
      const body = { token, sequence, offset, data: bytes.toString("base64") };
      const answer = await client.appendLog({ params: { id: job }, body }, { signal });
      if (!isRefusal(answer)) return "taken";
      if (
        answer.refused === "server.unreachable" ||
        answer.refused === "server.stopping" ||
        answer.refused === "disk.full"
      )
        throw new Error(answer.message);
      return "refused";
    },
  });
  const write = (bytes: Buffer) => chunks.write(masker.push(bytes));
  return {
    write,
    say: (line) => write(Buffer.from(`${line}\n`)),
    async close() {
      await chunks.write(masker.flush());
      await chunks.close();
    },
  };
}
