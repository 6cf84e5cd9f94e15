import { createServer } from "node:http";

// Longer than any balancer keeps an idle connection: whoever closes first must be the one that sends the requests.
const idleMs = 75_000;

// After SIGTERM: time for requests that are on their way already.
const farewellMs = 500;

/** Serves `handle(request) → { status, body, headers? }` until SIGTERM, then answers what is open and goes. */
export function serve(handle, port) {
  let leaving = false;
  const server = createServer(async (request, response) => {
    const { pathname: path } = new URL(request.url, "http://localhost");
    const answer = await tryTo(() => handle({ method: request.method, path }));
    response.writeHead(answer.status, {
      "Content-Type": "application/hal+json",
      ...answer.headers,
      ...(leaving ? { Connection: "close" } : {}),
    });
    response.end(JSON.stringify(answer.body));
  });
  server.keepAliveTimeout = idleMs;
  server.listen(port, () => console.log(JSON.stringify({ level: "info", message: "listening", port: server.address().port })));
  process.once("SIGTERM", () => {
    leaving = true;
    setTimeout(() => server.close(() => process.exit(0)), farewellMs);
  });
}

async function tryTo(handle) {
  try {
    return await handle();
  } catch (error) {
    console.error(JSON.stringify({ level: "error", message: error.message, stack: error.stack }));
    return { status: 500, body: { error: "Something broke here; the log says what." } };
  }
}
