/** Upstream registries over HTTP, with Docker's token flow. */
import { type Upstream, type UpstreamAt, UpstreamError, type Wanted } from "./contract.ts";

export interface HttpUpstreamOptions {
  /** Until an answer begins, or a small one has come. */
  answerMs?: number;
  /** Between two parts of a large one. */
  idleMs?: number;
}

const largestManifest = 4 * 1024 * 1024;
const largestToken = 256 * 1024;
const mostTokens = 500;

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

interface Ask {
  method: "GET" | "HEAD";
  kind: "manifests" | "blobs";
  signal: AbortSignal;
}

export function createHttpUpstream({ answerMs = 20_000, idleMs = 60_000 }: HttpUpstreamOptions = {}): Upstream {
  const tokens = createTokens();
  const small = (method: Ask["method"], kind: Ask["kind"]): Ask => ({
    ...{ method, kind },
    signal: AbortSignal.timeout(answerMs),
  });

  async function ask(at: UpstreamAt, wanted: Wanted, asked: Ask): Promise<Response> {
    const authorization = tokens.known(at, wanted);
    const first = await send(at, wanted, { ...asked, authorization });
    if (first.status !== 401) return checked(first, wanted);
    await first.body?.cancel();
    const given = await tokens.ask(at, wanted, {
      challenge: first.headers.get("www-authenticate"),
      signal: asked.signal,
    });
    return checked(await send(at, wanted, { ...asked, authorization: given }), wanted);
  }

  return {
    async digest(at, wanted) {
      const answer = await ask(at, wanted, small("HEAD", "manifests"));
      return answer.headers.get("docker-content-digest") ?? undefined;
    },
    async manifest(at, wanted) {
      const answer = await ask(at, wanted, small("GET", "manifests"));
      const content = await readAtMost(answer, largestManifest);
      return { mediaType: answer.headers.get("content-type") ?? "", content };
    },
    async size(at, wanted) {
      return lengthOf(await ask(at, wanted, small("HEAD", "blobs")));
    },
    async blob(at, wanted) {
      const patience = createPatience(answerMs);
      const answer = await ask(at, wanted, { method: "GET", kind: "blobs", signal: patience.signal });
      return { size: lengthOf(answer), source: patiently(answer, patience, idleMs) };
    },
  };
}

async function send(
  { url }: UpstreamAt,
  { repository, reference }: Wanted,
  { method, kind, signal, authorization }: Ask & { authorization: string | undefined },
): Promise<Response> {
  const headers = new Headers({ "accept-encoding": "identity" });
  if (kind === "manifests") headers.set("accept", manifestTypes);
  if (authorization) headers.set("authorization", authorization);
  return fetched(`${url.replace(/\/+$/, "")}/v2/${repository}/${kind}/${reference}`, { method, headers, signal });
}

/** Where a redirection leads to another host, the credentials do not go along: that is in `fetch`. */
async function fetched(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    throw away(url, error);
  }
}

function away(url: string, error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const { message, cause } = error as Error;
  const why = cause instanceof Error && cause.message ? cause.message : message;
  return new UpstreamError("away", `${new URL(url).host} does not answer: ${why}`);
}

async function checked(answer: Response, { repository, reference }: Wanted): Promise<Response> {
  const { status, url } = answer;
  if (answer.ok) return answer;
  await answer.body?.cancel();
  const what = `${new URL(url).host} answers ${status} for ${repository} ${reference}`;
  if (status === 404) throw new UpstreamError("missing", what);
  if (status === 401 || status === 403) throw new UpstreamError("refused", what);
  throw new UpstreamError(status === 429 || status === 408 || status >= 500 ? "away" : "wrong", what);
}

async function readAtMost(answer: Response, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      size += chunk.length;
      if (size > most) throw new UpstreamError("wrong", `the answer of ${answer.url} is larger than ${most} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw away(answer.url, error);
  }
  return Buffer.concat(chunks);
}

function lengthOf(answer: Response): number | undefined {
  const length = answer.headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

interface Patience {
  signal: AbortSignal;
  /** From now on waits so long. */
  wait(ms: number): void;
  end(): void;
}

function createPatience(ms: number): Patience {
  const controller = new AbortController();
  const end = () => controller.abort(new Error("nothing came for too long"));
  let timer = setTimeout(end, ms);
  return {
    signal: controller.signal,
    wait(next) {
      clearTimeout(timer);
      timer = setTimeout(end, next);
    },
    end: () => clearTimeout(timer),
  };
}

async function* patiently(answer: Response, patience: Patience, idleMs: number): AsyncGenerator<Uint8Array> {
  try {
    patience.wait(idleMs);
    for await (const chunk of answer.body ?? []) {
      patience.wait(idleMs);
      yield chunk;
    }
  } catch (error) {
    throw away(answer.url, error);
  } finally {
    patience.end();
  }
}

interface Tokens {
  known(at: UpstreamAt, wanted: Wanted): string | undefined;
  /** What to send, as the challenge of a 401 asks for. */
  ask(
    at: UpstreamAt,
    wanted: Wanted,
    asked: { challenge: string | null; signal: AbortSignal },
  ): Promise<string | undefined>;
}

function createTokens(): Tokens {
  const known = new Map<string, { authorization: string; until: number }>();
  const keyOf = ({ url, username = "", password = "" }: UpstreamAt, { repository }: Wanted) =>
    JSON.stringify([url, username, password, repository]);

  return {
    known(at, wanted) {
      const found = known.get(keyOf(at, wanted));
      return found && found.until > Date.now() ? found.authorization : undefined;
    },
    async ask(at, wanted, { challenge, signal }) {
      known.delete(keyOf(at, wanted));
      const basic = basicOf(at);
      if (/^basic\b/i.test(challenge ?? "")) {
        if (basic) remember(keyOf(at, wanted), basic, 3600);
        return basic;
      }
      const realm = parameter(challenge, "realm");
      if (!/^bearer\b/i.test(challenge ?? "") || realm === undefined) return undefined;
      const url = tokenUrl(at, wanted, { realm, service: parameter(challenge, "service") });
      const headers = new Headers(basic ? { authorization: basic } : {});
      const answer = await checked(await fetched(url, { headers, signal, redirect: "error" }), wanted);
      const { token, seconds } = readToken(await readAtMost(answer, largestToken), url);
      remember(keyOf(at, wanted), `Bearer ${token}`, seconds);
      return `Bearer ${token}`;
    },
  };

  function remember(key: string, authorization: string, seconds: number): void {
    if (known.size >= mostTokens) known.clear();
    // A token that ends on its way is asked for again, as one more 401.
    known.set(key, { authorization, until: Date.now() + Math.max(0, seconds - 5) * 1000 });
  }
}

function basicOf({ username, password }: UpstreamAt): string | undefined {
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** Throws where the upstream would have the credentials sent in clear to somebody else. */
function tokenUrl(
  at: UpstreamAt,
  { repository }: Wanted,
  { realm, service }: { realm: string; service?: string | undefined },
) {
  const url = URL.parse(realm, at.url);
  if (!url || (url.protocol !== "https:" && url.origin !== new URL(at.url).origin))
    throw new UpstreamError("wrong", `${at.url} has tokens fetched from ${realm.slice(0, 200)}, which is not https`);
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", `repository:${repository}:pull`);
  return url.href;
}

const parameter = (challenge: string | null, name: string): string | undefined =>
  new RegExp(`[ ,]${name}="([^"]*)"`, "i").exec(challenge ?? "")?.[1];

function readToken(text: Buffer, url: string): { token: string; seconds: number } {
  try {
    const { token, access_token: other, expires_in: seconds } = JSON.parse(text.toString()) as Record<string, unknown>;
    const found = typeof token === "string" ? token : other;
    if (typeof found === "string" && /^[\x21-\x7e]+$/.test(found))
      return { token: found, seconds: typeof seconds === "number" ? seconds : 60 };
  } catch {
    // Said below.
  }
  throw new UpstreamError("wrong", `${new URL(url).host} answers no token`);
}
