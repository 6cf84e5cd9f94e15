/** The server as an agent and as one of its jobs see it: a seam, for a run on one's own machine has no server. */
import type { agentEndpoints } from "#api/endpoints/agent.ts";
import type { jobEndpoints } from "#api/endpoints/job.ts";
import type { Refusal } from "#api/errors.ts";
import { type Client, createClient } from "./client.ts";
import { fetchArtifact, sendArtifact } from "./content.ts";

/** What an agent says for itself, by the token of its lease. */
export type AgentClient = Pick<Client, keyof typeof agentEndpoints>;

/** What a job says, and the contents of its artifacts; each names the attempt that speaks. */
export interface JobServer {
  client: Pick<Client, keyof typeof jobEndpoints>;
  /** Where an artifact's content can be had. */
  addressOf(artifact: string): string;
  /** Takes content from the byte `at` on; answers how much of it is there then. */
  send(
    content: { id: string; at: number; bytes: AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<{ size: number } | Refusal>;
  /** The content from the byte `at` on. It throws where the connection breaks. */
  fetch(content: { id: string; at: number }, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | Refusal>;
}

/** By HTTP, with a token that belongs to the one attempt. */
export function connectJob(url: string, token: string): JobServer {
  const server = { url, token };
  return {
    client: createClient(server),
    addressOf: (artifact) => `${url}/api/artifacts/${artifact}/content`,
    send: (content, signal) => sendArtifact(server, content, signal),
    fetch: (content, signal) => fetchArtifact(server, content, signal),
  };
}
