/** WebSockets (RFC 6455) beside the rows: who opens one is asked for before it opens, and a refusal is an answer like any other. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance } from "fastify";
import { type WebSocket, WebSocketServer } from "ws";
import { errorCatalogue, isRefusal, refuse, type Refusal } from "#api/errors.ts";

export interface SocketPath<T> {
  /** How its address begins, with a `/` at its end. */
  path: string;
  /** @param rest the address behind the path. Undefined: there is no such one. */
  admit(request: IncomingMessage, rest: string): Promise<T | Refusal | undefined>;
  open(socket: WebSocket, admitted: T): Promise<void>;
}

const mostBytes = 128 * 1024;
const probeMs = 15_000;

export function serveSocket<T extends object>(app: FastifyInstance, { path, admit, open }: SocketPath<T>): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostBytes, perMessageDeflate: false });
  const answer = async (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    const address = (request.url ?? "").split("?")[0] ?? "";
    const admitted = address.startsWith(path) ? await admit(request, address.slice(path.length)) : undefined;
    if (!admitted) return turnAway(connection, refuse("request.unknown-endpoint", `no WebSocket is at ${address}`));
    if (isRefusal(admitted)) return turnAway(connection, admitted);
    request.socket.setKeepAlive(true, probeMs);
    sockets.handleUpgrade(request, connection, head, (socket) => void open(socket, admitted));
  };
  app.server.on("upgrade", (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on("error", () => connection.destroy());
    answer(request, connection, head).catch((error: unknown) => {
      app.log.error({ err: error }, "a WebSocket could not be opened");
      turnAway(connection, refuse("server.failed", "something broke; the server's log has more"));
    });
  });
}

function turnAway(connection: Duplex, { refused: code, ...rest }: Refusal): void {
  const body = JSON.stringify({ error: { code, ...rest } });
  const { status } = errorCatalogue[code];
  const head = [`HTTP/1.1 ${status} Refused`, "content-type: application/json", "connection: close"];
  connection.end([...head, `content-length: ${Buffer.byteLength(body)}`, "", body].join("\r\n"));
}
