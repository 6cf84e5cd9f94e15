/** The web interface: the files that `tools/web` has built. Whoever asks for a page by its address gets the one page there is. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { refuse } from "#api/errors.ts";
import { sendRefusal } from "#kernel/http.ts";

/** No script but our own; styles may stand in the page, as the component library writes some. */
const policyOf = (page: string) => [
  "default-src 'self'",
  ["script-src 'self'", ...hashesOfScripts(page)].join(" "),
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
];

/** Of those that stand in the page (https://www.w3.org/TR/CSP3/#external-hash). */
function hashesOfScripts(page: string): string[] {
  const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)];
  return scripts.map(([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
}

/** What programs ask for; an address there that does not exist is no page. */
const ofPrograms = /^\/(api|git|v2)(\/|$)/;

export function serveWeb(app: FastifyInstance, folder: string): void {
  const policy = policyOf(readFileSync(join(folder, "index.html"), "utf8")).join("; ");
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
