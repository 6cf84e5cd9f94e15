// Answers with its version; on SIGTERM ends what is open, then goes.
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");

const version = readFileSync("/version.txt", "utf8").trim();
const server = createServer((request, response) => {
  const fails = request.url !== "/health" && version.startsWith("bad");
  request
    .resume()
    .on("end", () => response.writeHead(fails ? 500 : 200, { "content-type": "text/plain" }).end(version));
});
server.keepAliveTimeout = 60_000;
if (version !== "silent") server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
if (version === "exits") process.exit(3);
setInterval(() => {}, 1000);
