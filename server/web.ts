/** The web interface: the files that `tools/web` has built. Whoever asks for a page by its address gets the one page there is. */
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { refuse } from "#api/errors.ts";
import { sendRefusal } from "#kernel/http.ts";

/** No script but our own files; styles may stand in the page, as the component library writes some. */
const policy = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** What programs ask for; an address there that does not exist is no page. */
const ofPrograms = /^\/(api|git|v2)(\/|$)/;

export function serveWeb(app: FastifyInstance, folder: string): void {
  void app.register(fastifyStatic, {
    root: join(folder, "assets"),
    prefix: "/assets/",
    preCompressed: true,
    // Their names change with their content.
    immutable: true,
    maxAge: "365d",
  });
  app.get("/towline.svg", (_, reply) => reply.sendFile("towline.svg", folder, { maxAge: "1d" }));
  app.get("/*", (request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const wantsPage = request.headers.accept?.includes("text/html") && !ofPrograms.test(path);
    if (!wantsPage) return sendRefusal(reply, refuse("request.unknown-endpoint", `GET ${path} does not exist`));
    return reply
      .headers({ "content-security-policy": policy, "cache-control": "no-cache" })
      .sendFile("index.html", folder, { cacheControl: false });
  });
}
