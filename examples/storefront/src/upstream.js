const timeoutMs = 5_000;

/** A service that did not answer as it should; becomes 502. */
export class UpstreamError extends Error {}

/** The client of a needed service: `get(path)` and `post(path, body)` answer `{ status, body }`. */
export function upstream(name, base) {
  if (!base) throw new Error(`${name.toUpperCase()}_URL is not set.`);
  return {
    name,
    // A kept connection may close in the very moment of asking; reading may be repeated, ordering may not.
    get: (path) => ask(name, new URL(path, base), {}).catch(() => ask(name, new URL(path, base), {})),
    post: (path, body) =>
      ask(name, new URL(path, base), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      }),
  };
}

async function ask(name, url, options) {
  try {
    const response = await fetch(url, { ...options, signal: AbortSignal.timeout(timeoutMs) });
    const body = await response.json();
    if (response.status >= 500) throw new UpstreamError(`${name} answered ${response.status}.`);
    return { status: response.status, body };
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError(`${name} did not answer: ${error.cause?.code ?? error.message}`);
  }
}
