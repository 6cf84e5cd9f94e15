/** Repositories that a test commits to and a Git client fetches from, by `git http-backend`. */
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

const run = promisify(execFile);

export interface ServedGit extends AsyncDisposable {
  /** Adds `/git/<repository>.git`. */
  routes(app: FastifyInstance): void;
  /** Commits these files (all that there are) to `main`; answers the commit's hash. */
  commit(repository: string, files: Record<string, string>, submodules?: Submodules): Promise<string>;
  /** What clients asked for, as `GET /git/orders.git/info/refs`, and the header `authorization` they came with. */
  asked: { what: string; authorization: string | undefined }[];
}

/** Path in the repository to an address and a commit of another. */
export type Submodules = Record<string, { url: string; commit: string }>;

const env = {
  ...{ PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", GIT_CONFIG_NOSYSTEM: "1" },
  ...{ GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: "ada@example.com" },
  ...{ GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: "ada@example.com" },
};

export async function serveTestGit(): Promise<ServedGit> {
  const root = await mkdtemp(join(tmpdir(), "towline-served-git-"));
  const asked: ServedGit["asked"] = [];
  const git = async (folder: string, ...args: string[]) =>
    (await run("git", ["-C", folder, ...args], { env })).stdout.trim();

  async function commit(repository: string, files: Record<string, string>, submodules: Submodules = {}) {
    const bare = join(root, `${repository}.git`);
    const work = join(root, `${repository}.work`);
    await mkdir(work, { recursive: true });
    await git(root, "init", "--quiet", "--bare", "--initial-branch=main", bare);
    await git(bare, "config", "uploadpack.allowAnySHA1InWant", "true");
    await git(root, "init", "--quiet", "--initial-branch=main", work);
    const modules = Object.entries(submodules);
    const listed = modules.map(([path, { url }]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`);
    const all = { ...files, ...(listed.length > 0 ? { ".gitmodules": listed.join("") } : {}) };
    await git(work, "rm", "-r", "--quiet", "--ignore-unmatch", ".");
    for (const [path, text] of Object.entries(all)) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), text);
    }
    await git(work, "add", "--all");
    for (const [path, module] of modules)
      await git(work, "update-index", "--add", "--cacheinfo", `160000,${module.commit},${path}`);
    await git(work, "commit", "--quiet", "--allow-empty", "--message", "A change");
    await git(work, "push", "--quiet", bare, "HEAD:main");
    return git(work, "rev-parse", "HEAD");
  }

  function routes(app: FastifyInstance): void {
    void app.register(async (scope) => {
      scope.addContentTypeParser("application/x-git-upload-pack-request", (_, body, done) => done(null, body));
      scope.all("/git/*", async (request, reply) => {
        const { authorization } = request.headers;
        asked.push({ what: `${request.method} ${request.url.split("?")[0]}`, authorization });
        return cgi(root, request, reply);
      });
    });
  }

  return { asked, commit, routes, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

/** One request to `git http-backend`; its answer's head is short enough to be in the first piece. */
function cgi(root: string, request: FastifyRequest, reply: FastifyReply): void {
  const [path = "", query = ""] = request.url.split("?");
  const { headers, method, raw } = request;
  const variables = {
    ...env,
    ...{ GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: "1", REQUEST_METHOD: method, QUERY_STRING: query },
    PATH_INFO: path.replace("/git", ""),
    CONTENT_TYPE: headers["content-type"] ?? "",
    HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
    GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
  };
  const child = spawn("git", ["http-backend"], { env: variables, stdio: ["pipe", "pipe", "ignore"] });
  raw.pipe(child.stdin);
  reply.hijack();
  child.stdout.once("data", (first: Buffer) => {
    const end = first.indexOf("\r\n\r\n");
    const head = first.subarray(0, end).toString().split("\r\n");
    const fields = Object.fromEntries(head.map((line) => line.split(": ", 2) as [string, string]));
    reply.raw.writeHead(Number.parseInt(fields["Status"] ?? "200", 10), fields);
    reply.raw.write(first.subarray(end + 4));
    child.stdout.pipe(reply.raw);
  });
}
