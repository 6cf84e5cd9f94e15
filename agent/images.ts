/** The way of an image into the registry. */
import type { Engine } from "#drivers/engine/engine.ts";
import { patienceMs, withRetries } from "./passing.ts";

export interface Push {
  /** `host:port/name`. */
  repository: string;
  tag: string;
  auth: { username: string; password: string };
  signal: AbortSignal;
  /** Gets one line for each layer. */
  say: (line: string) => Promise<void>;
}

interface PushLine {
  id?: string;
  status?: string;
  errorDetail?: { message: string };
  aux?: { Digest?: string };
}

const pushMs = 60 * 60_000;
const layerEnds = /^(Pushed|Layer already exists|Mounted from)/;

/** What the engine says when the registry is away, or has just cleaned a layer away that the push found: another try may do. */
const passing =
  /push that first|connection refused|connection reset|broken pipe|EOF|i\/o timeout|unexpected HTTP status: 5\d\d/i;

/**
 * Pushes a tag and answers the digest that the registry has it under; layers that arrived are not sent again. A registry that is
 * away is asked again for minutes, as the server may be upgraded. Throws with what the registry or the engine said.
 */
export function push(engine: Engine, what: Push): Promise<string> {
  return withRetries(() => pushOnce(engine, what), {
    signal: what.signal,
    patienceWith: (error) => (passing.test(messageOf(error)) ? patienceMs : 0),
    onRetry: (error) => what.say(`the registry is away, trying again: ${messageOf(error)}`),
  });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : "");

async function pushOnce(engine: Engine, { repository, tag, auth, signal, say }: Push): Promise<string> {
  const [host = ""] = repository.split("/");
  const request = {
    method: "POST" as const,
    path: `/images/${repository}/push`,
    query: { tag },
    authconfig: { ...auth, serveraddress: host },
  };
  let digest: string | undefined;
  for await (const line of engine.lines<PushLine>(request, { signal, deadlineMs: pushMs })) {
    if (line.errorDetail) throw new Error(`the image could not be pushed: ${line.errorDetail.message}`);
    if (line.id && layerEnds.test(line.status ?? "")) await say(`${line.id}: ${line.status}`);
    digest = line.aux?.Digest ?? digest;
  }
  if (!digest) throw new Error("the engine named no digest after the push");
  return digest;
}
