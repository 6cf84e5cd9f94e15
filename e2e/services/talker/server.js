// Answers with its version, later where the path says so, and talks over WebSockets; on SIGTERM ends what is open, then goes.
const { createServer } = require("node:http");
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");

const version = readFileSync("/version.txt", "utf8").trim();
const server = createServer((request, response) => {
  const delay = Number(/^\/slow\/(\d{1,5})$/.exec(request.url)?.[1] ?? 0);
  const answer = () => response.writeHead(200, { "content-type": "text/plain" }).end(version);
  request.resume().on("end", () => (delay > 0 ? setTimeout(answer, delay) : answer()));
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
server.listen(Number(process.env.PORT));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
process.stdout.write(`version ${version}\n`);
