// Answers with its version; on SIGTERM ends what is open, then goes. The first word of the version tells how it misbehaves.
const { createServer } = require("node:http");
const { createHash } = require("node:crypto");
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
// A WebSocket says back each message of up to 125 bytes, and goodbye.
server.on("upgrade", ({ headers }, socket) => {
  const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  const lines = ["Connection: Upgrade", "Upgrade: websocket", `Sec-WebSocket-Accept: ${accept}`];
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
  let got = Buffer.alloc(0);
  socket
    .on("error", () => socket.destroy())
    .on("data", (chunk) => {
      got = Buffer.concat([got, chunk]);
      for (let size; got.length >= 6 && got.length >= (size = 6 + (got[1] & 127)); got = got.subarray(size)) {
        const text = got.subarray(6, size).map((byte, at) => byte ^ got[2 + (at % 4)]);
        socket.write(Buffer.concat([Buffer.from([got[0], text.length]), text]));
        if ((got[0] & 15) === 8) socket.end();
      }
    });
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
