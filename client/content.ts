/** Contents that are streamed and so are no endpoint rows: artifacts to the server, and back in parts. */
import { Readable } from "node:stream";
import { isRefusal, type Refusal } from "#api/errors.ts";
import { type ClientOptions, readRefusal, unreachable } from "./client.ts";

/** Sends an artifact's content from the byte on; answers how much of it the server has then. */
export async function sendArtifact(
  options: ClientOptions,
  { id, at, bytes }: { id: string; at: number; bytes: AsyncIterable<Uint8Array> },
  signal: AbortSignal,
): Promise<{ size: number } | Refusal> {
  const path = `/api/job/artifacts/${id}/content?at=${at}`;
  const body = Readable.toWeb(Readable.from(bytes, { objectMode: false }));
  const answer = await ask(options, path, {
    ...{ method: "PUT", signal, duplex: "half" },
    headers: { "content-type": "application/octet-stream" },
    body,
  });
  return isRefusal(answer) ? answer : ((await answer.json()) as { size: number });
}

/** The content of an artifact from the byte on. It throws where the connection breaks. */
export async function fetchArtifact(
  options: ClientOptions,
  { id, at }: { id: string; at: number },
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | Refusal> {
  const headers: Record<string, string> = at > 0 ? { range: `bytes=${at}-` } : {};
  const answer = await ask(options, `/api/artifacts/${id}/content`, { headers, signal });
  return isRefusal(answer) ? answer : (answer.body ?? new ReadableStream());
}

/** The content of a backup of a backing service. It throws where the connection breaks. */
export async function fetchBackup(
  options: ClientOptions,
  id: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | Refusal> {
  const answer = await ask(options, `/api/backing-works/${id}/content`, { headers: {}, signal });
  return isRefusal(answer) ? answer : (answer.body ?? new ReadableStream());
}

async function ask(
  { url, token }: ClientOptions,
  path: string,
  request: Omit<RequestInit, "headers"> & { headers: Record<string, string>; duplex?: "half" },
): Promise<Response | Refusal> {
  const headers = { ...request.headers, authorization: `Bearer ${token ?? ""}` };
  try {
    const answer = await fetch(url.replace(/\/$/, "") + path, { ...request, headers });
    return answer.ok ? answer : readRefusal(answer.status, await answer.text());
  } catch (error) {
    if (request.signal?.aborted) throw error;
    return unreachable(url, error);
  }
}
