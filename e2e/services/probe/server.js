// Answers with its version; on SIGTERM ends what is open, then goes. The first word of the version tells how it misbehaves.
const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");

const version = readFileSync("/version.txt", "utf8").trim();
const server = createServer((request, response) => {
  const isCheck = request.url === "/health";
  const fails = isCheck ? version.startsWith("sick") : version.startsWith("bad");
  const usual = version.startsWith("late") && !isCheck ? 1500 : 0;
  const delay = Number(/^\/slow\/(\d{1,5})$/.exec(request.url)?.[1] ?? usual);
  const headers = { "content-type": "text/plain", ...(version.startsWith("rude") ? { connection: "close" } : {}) };
  const answer = () => response.writeHead(fails ? 500 : 200, headers).end(version);
  request.resume().on("end", () => (delay > 0 ? setTimeout(answer, delay) : answer()));
  if (request.url === "/crash" && version.startsWith("crash")) process.exit(7);
});
server.keepAliveTimeout = 60_000;
if (!version.startsWith("silent")) server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => version.startsWith("rude") || server.close(() => process.exit(0)));
process.stdout.write(`version ${version}, key ${process.env.API_KEY}\n`);
if (version.startsWith("exits")) {
  process.stderr.write("cannot open the cellar: no key\n");
  process.exit(3);
}
setInterval(() => {}, 1000);
