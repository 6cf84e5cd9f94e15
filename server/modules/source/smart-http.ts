/** Git's smart HTTP protocol: `git http-backend` for each request, streamed both ways, below `/git/<name>.git/`. */
import { statfs } from "node:fs/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { errorCatalogue, isRefusal, refuse, type Refusal } from "#api/errors.ts";
import type { Principal } from "#kernel/http.ts";
import type { SourceContext } from "./context.ts";
import { gitDenied, type GitService } from "./core/git-rule.ts";
import { validName } from "./places.ts";
import { noRepository } from "./repositories.ts";
import { createTransfers, type Transfer, type Transfers } from "./transfer.ts";
import { sourceStore } from "./store.ts";

interface Named {
  Params: { repository: string; service?: string };
  Querystring: { service?: string };
}

/** Adds the routes that git clients call. */
export function serveGit(app: FastifyInstance, context: SourceContext): void {
  const transfers = createTransfers(context);
  app.register(async (scope) => {
    // Bodies go to git as they arrive; git counts them.
    for (const service of ["upload", "receive"])
      scope.addContentTypeParser(`application/x-git-${service}-pack-request`, (_request, body, done) =>
        done(null, body),
      );
    scope.get<Named>("/git/:repository/info/refs", { exposeHeadRoute: false }, (request, reply) =>
      exchange(context, transfers, { request, reply, service: request.query.service, path: "info/refs" }),
    );
    scope.post<Named>("/git/:repository/:service", (request, reply) =>
      exchange(context, transfers, {
        request,
        reply,
        service: request.params.service,
        path: request.params.service ?? "",
      }),
    );
  });
}

interface Exchange {
  request: FastifyRequest<Named>;
  reply: FastifyReply;
  service: string | undefined;
  path: string;
}

async function exchange(context: SourceContext, transfers: Transfers, call: Exchange): Promise<FastifyReply> {
  const allowed = await admit(context, call);
  if (isRefusal(allowed)) return sendText(call.reply, allowed);
  const answer = await transfers.start({ ...allowed, request: call.request, reply: call.reply, path: call.path });
  if (isRefusal(answer)) return sendText(call.reply, answer);
  return call.reply.code(answer.head.status).headers(answer.head.headers).send(answer.body);
}

type Admitted = Pick<Transfer, "repository" | "service" | "user">;

async function admit(context: SourceContext, { request, service }: Exchange): Promise<Admitted | Refusal> {
  if (!isService(service))
    return refuse("request.invalid", "only Git's smart protocol is served; use a git client of 1.6.6 or later");
  const name = validName(request.params.repository);
  if (isRefusal(name)) return name;
  const principal = await context.authenticate(request.headers.authorization);
  if (isRefusal(principal)) return principal;
  const denied = gitDenied(principal, service, name);
  if (denied) return denied;
  const repository = await sourceStore(context.db).repository(name);
  if (!repository) return noRepository(name);
  const full = service === "git-receive-pack" ? await diskFull(context) : undefined;
  return full ?? { repository, service, user: (principal as Principal).name };
}

function isService(service: string | undefined): service is GitService {
  return service === "git-upload-pack" || service === "git-receive-pack";
}

async function diskFull({ places, diskFloor }: SourceContext): Promise<Refusal | undefined> {
  const { bavail, bsize } = await statfs(places.root);
  if (bavail * bsize >= diskFloor) return undefined;
  return refuse("disk.full", "the server's disk is nearly full; no push is taken until there is room");
}

/** Git shows a refusal to its user only when it is plain text. */
function sendText(reply: FastifyReply, { refused: code, message, fix }: Refusal): FastifyReply {
  const { status } = errorCatalogue[code];
  if (status === 401) reply.header("www-authenticate", 'Basic realm="towline"');
  return reply
    .code(status)
    .header("content-type", "text/plain; charset=utf-8")
    .header("cache-control", "no-store")
    .send(`towline: ${message} (${code})\n${fix ? `towline: ${fix}\n` : ""}`);
}
