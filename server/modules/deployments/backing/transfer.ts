/** The content of a backup, streamed to a person who may have the data. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { leading } from "#api/endpoint.ts";
import { isRefusal, refuse, type Refusal } from "#api/errors.ts";
import { checkRule, type HttpDeps, sendRefusal } from "#kernel/http.ts";
import type { World } from "../steps/step.ts";
import { backingStore, type WorkRow } from "./backing-store.ts";

/** A connection on which nothing moves for so long is given up. */
const idleMs = 5 * 60_000;

type Request = FastifyRequest<{ Params: { id: string } }>;

export function registerBackups(app: FastifyInstance, world: World, authenticate: HttpDeps["authenticate"]): void {
  app.get("/api/backing-works/:id/content", async (request: Request, reply: FastifyReply) => {
    const work = await readable({ world, authenticate }, request);
    if (isRefusal(work)) return sendRefusal(reply, work);
    const content = await world.backups.read(work.digest ?? "");
    if (!content) return sendRefusal(reply, noSuchBackup());
    reply.hijack();
    request.raw.setTimeout(idleMs);
    const { raw } = reply;
    raw.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${work.environment}-${work.name}.dump"`,
      "content-length": work.size,
    });
    try {
      await content.copyTo(raw);
      raw.end();
    } catch (error) {
      world.log.debug({ err: error }, "who fetched a backup went away");
      raw.destroy();
    }
    return reply;
  });
}

/** Told in the audit log, for it is all the data of an environment. */
async function readable(
  { world, authenticate }: { world: World; authenticate: HttpDeps["authenticate"] },
  request: Request,
): Promise<WorkRow | Refusal> {
  const principal = await authenticate(request.headers.authorization);
  if (isRefusal(principal)) return principal;
  const denied = checkRule({ roles: leading }, principal);
  if (denied) return denied;
  const { id } = request.params;
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  const work = isId ? await backingStore(world.db).work(id) : undefined;
  if (work?.kind !== "backup" || work.state !== "succeeded") return noSuchBackup();
  const { environment, name } = work;
  const actor = principal?.kind === "user" ? principal.name : "towline";
  await world.db.transaction().execute((tx) =>
    world.emit(tx, `backing:${environment}:${name}`, "deployments.backing-changed", {
      ...{ environment, name, change: "downloaded", actor, work: id },
    }),
  );
  return work;
}

const noSuchBackup = (): Refusal => refuse("not-found", "there is no such backup");
