import { request } from "undici";
import type { Registry } from "./registries.ts";

interface Ask {
  headers?: Record<string, string>;
  body?: string;
}

/** One request below `/v2/`, with the token of a client that has logged in. */
export async function call(registry: Registry, method: "DELETE" | "GET" | "POST" | "PUT", path: string, ask: Ask = {}) {
  const headers = { ...(await registry.authorization()), ...ask.headers };
  const answer = await request(`http://${registry.host}/v2/${path}`, { ...ask, method, headers });
  return { statusCode: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

interface Manifest {
  config?: { digest: string };
  layers?: { digest: string }[];
}

export interface Stored {
  /** As it was pushed. */
  manifest: string;
  type: string;
  digest: string;
  /** Digests of the configuration and the layers. */
  parts: string[];
}

/** What `latest` of a repository is; no parts where there is none. */
export async function layersOf(registry: Registry, repository: string): Promise<Stored> {
  const headers = { accept: "application/vnd.oci.image.manifest.v1+json" };
  const found = await call(registry, "GET", `${repository}/manifests/latest`, { headers });
  if (found.statusCode !== 200) return { manifest: "", type: "", digest: "", parts: [] };
  const { config, layers = [] } = JSON.parse(found.text) as Manifest;
  const parts = [config, ...layers].flatMap((part) => (part ? [part.digest] : []));
  const { "content-type": type, "docker-content-digest": digest } = found.headers;
  return { manifest: found.text, type: String(type), digest: String(digest), parts };
}
