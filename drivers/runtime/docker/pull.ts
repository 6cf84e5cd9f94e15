/** Getting an image onto the host. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Limits } from "#drivers/engine/engine.ts";
import { type PullProgress, type RegistryAuth, RuntimeError } from "../contract.ts";
import { failureOf, isFailure, translate } from "./failure.ts";
import { type Host, json } from "./host.ts";

export interface PullRequest {
  image: string;
  auth?: RegistryAuth;
  onProgress?: (progress: PullProgress) => void;
}

interface PullLine {
  id?: string;
  status?: string;
  progressDetail?: { current?: number; total?: number };
  errorDetail?: { message: string };
}

/** Parts between slashes, none of which could be read as a way up. */
const imageName = /^[a-z0-9][\w.:-]*(\/[a-z0-9][\w.:-]*)*(@sha256:[0-9a-f]{64})?$/;
const engineDropsMs = 1_000;
const lookAgain = "a pull of the same image was given up";

export async function pull(host: Host, request: PullRequest, limits: Limits): Promise<void> {
  if (!imageName.test(request.image))
    throw new RuntimeError("engine", `not a name of an image: ${JSON.stringify(request.image)}`);
  const image = tagged(request.image);
  while (!(await isHere(host, image, limits))) {
    const shared = host.pulls.get(image);
    if (!shared) return lead(host, { ...request, image }, limits);
    await follow(shared, limits);
  }
}

/** A name without tag and digest would pull all tags. */
function tagged(image: string): string {
  return /@|:[^/]*$/.test(image) ? image : `${image}:latest`;
}

async function isHere(host: Host, image: string, limits: Limits): Promise<boolean> {
  try {
    await json(host, { method: "GET", path: `/images/${image}/json` }, limits);
    return true;
  } catch (error) {
    if (isFailure(error, "image-missing")) return false;
    throw error;
  }
}

async function lead(host: Host, request: PullRequest, limits: Limits): Promise<void> {
  const pulling = fetchLayers(host, request, limits).finally(() => host.pulls.delete(request.image));
  host.pulls.set(request.image, pulling);
  return pulling;
}

/** Ends well also when the leader gave up, so that the follower looks again and leads. */
async function follow(shared: Promise<void>, { deadlineMs, signal }: Limits): Promise<void> {
  const end = AbortSignal.any([AbortSignal.timeout(Math.max(0, Math.ceil(deadlineMs))), ...(signal ? [signal] : [])]);
  const ended = new Promise<never>((_, reject) => {
    const code = () => (signal?.aborted ? "aborted" : "deadline");
    end.addEventListener("abort", () => reject(new RuntimeError(code(), lookAgain)), { once: true });
  });
  const leader = shared.catch(async (error: unknown) => {
    if (!isFailure(error, "aborted") && !isFailure(error, "deadline")) throw error;
    // The engine needs a moment to drop the transfer; a pull that comes sooner joins it, and stalls as it did.
    await sleep(engineDropsMs);
  });
  await Promise.race([leader, ended]);
}

async function fetchLayers(host: Host, { image, auth, onProgress }: PullRequest, limits: Limits): Promise<void> {
  const layers = new Map<string, Layer>();
  const serveraddress = image.split("/")[0] ?? "";
  const request = {
    method: "POST" as const,
    path: "/images/create",
    query: { fromImage: image },
    // Empty: the engine notices that a client has gone only once it has read its body, and this one it never reads.
    body: Buffer.alloc(0),
    ...(auth ? { authconfig: { ...auth, serveraddress } } : {}),
  };
  try {
    for await (const line of host.engine.lines<PullLine>(request, limits)) {
      if (line.errorDetail) throw failed(image, line.errorDetail.message);
      if (note(layers, line)) onProgress?.(progressOf(layers));
    }
  } catch (error) {
    const told = translate(error);
    if (told === error) throw error;
    throw isFailure(told, "engine") || isFailure(told, "not-found") ? failed(image, told.message) : told;
  }
}

function failed(image: string, sentence: string): RuntimeError {
  const code = failureOf(sentence);
  return new RuntimeError(code === "not-found" ? "image-missing" : code, `${image} cannot be pulled: ${sentence}`);
}

interface Layer {
  bytes: number;
  total: number;
  done: boolean;
}

const arrived = new Set(["Download complete", "Pull complete", "Already exists", "Verifying Checksum", "Extracting"]);

function note(layers: Map<string, Layer>, { id, status = "", progressDetail = {} }: PullLine): boolean {
  if (id === undefined || status.startsWith("Pulling from")) return false;
  const layer = layers.get(id) ?? { bytes: 0, total: 0, done: false };
  if (status === "Downloading") {
    layer.bytes = progressDetail.current ?? layer.bytes;
    layer.total = progressDetail.total ?? layer.total;
  }
  if (arrived.has(status)) Object.assign(layer, { bytes: layer.total, done: true });
  layers.set(id, layer);
  return true;
}

function progressOf(layers: ReadonlyMap<string, Layer>): PullProgress {
  const all = [...layers.values()];
  const sum = (of: (layer: Layer) => number) => all.reduce((total, layer) => total + of(layer), 0);
  return {
    layersDone: sum(({ done }) => Number(done)),
    layers: all.length,
    bytes: sum(({ bytes }) => bytes),
    bytesTotal: sum(({ total }) => total),
  };
}
