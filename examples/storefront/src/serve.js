import { createServer } from "node:http";

// Longer than any balancer keeps an idle connection: whoever closes first must be the one that sends the requests.
const idleMs = 75_000;

// After SIGTERM: time for requests that are on their way already.
const farewellMs = 500;

const bodyBytes = 64 * 1024;

/** Serves `handle(request) → { status, body, headers? }` until SIGTERM, then answers what is open and goes. */
export function serve(handle, port) {
  let leaving = false;
  const server = createServer(async (request, response) => {
    const answer = await tryTo(async () => {
      const body = await readBody(request);
      return body === undefined ? tooLarge : handle({ ...facts(request), body });
    });
    const html = typeof answer.body === "string";
    response.writeHead(answer.status, {
      "Content-Type": html ? "text/html; charset=utf-8" : "application/hal+json",
      ...answer.headers,
      ...(leaving ? { Connection: "close" } : {}),
    });
    response.end(html ? answer.body : JSON.stringify(answer.body));
  });
  server.keepAliveTimeout = idleMs;
  server.listen(port, () => console.log(JSON.stringify({ level: "info", message: "listening", port: server.address().port })));
  process.once("SIGTERM", () => {
    leaving = true;
    setTimeout(() => server.close(() => process.exit(0)), farewellMs);
  });
}

const tooLarge = { status: 413, headers: { Connection: "close" }, body: { error: "The body is too large." } };

function facts({ method, url, headers }) {
  const { pathname: path } = new URL(url, "http://localhost");
  return { method, path, accept: headers.accept ?? "", type: headers["content-type"] ?? "" };
}

/** The body as text, or undefined when it is too large. */
async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function tryTo(handle) {
  try {
    return await handle();
  } catch (error) {
    console.error(JSON.stringify({ level: "error", message: error.message, stack: error.stack }));
    return { status: 500, body: { error: "Something broke here; the log says what." } };
  }
}
