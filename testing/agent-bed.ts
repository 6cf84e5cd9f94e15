/** An agent on the real Docker Engine, a server that the test plays, and real Git between them. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { type Agent, startAgent } from "#agent/agent.ts";
import type { AgentOptions } from "#agent/agent-options.ts";
import { forgetBuilder } from "#agent/built-images.ts";
import { connectServer } from "#agent/connect-server.ts";
import { removeDockerThings } from "#agent/remove-docker-things.ts";
import type { Assignment, Work } from "#api/endpoints/agent.ts";
import { orThrow } from "#api/errors.ts";
import { openCompose } from "#drivers/compose/cli.ts";
import { connectEngine } from "#drivers/engine/engine.ts";
import { createLog } from "#kernel/log.ts";
import { baseImage } from "../tools/base-images/catalogue.ts";
import { usualOptions } from "./agent-options.ts";
import { type PlayedJob, type PlayedServer, playServer } from "./played-server.ts";
import { type ServedGit, serveTestGit } from "./served-git.ts";

export const image = baseImage("debian");
/** Looked for once, for version 1 takes half a second to say that it is there. */
const compose = orThrow(await openCompose());

export interface AgentBed extends AsyncDisposable {
  server: PlayedServer;
  git: ServedGit;
  home: string;
  options: AgentOptions;
  /** Starts an agent of this home, stopped with the bed. */
  start(more?: Partial<AgentOptions>, abandon?: AbortSignal): Promise<Agent>;
  /** Commits the files and hands out a job for that commit. */
  give(work: Work, files?: Record<string, string>, more?: Partial<Assignment>): Promise<PlayedJob>;
  /** As `give`, a step with these commands. */
  command(commands: string[], more?: Partial<Assignment>): Promise<PlayedJob>;
}

export async function openAgentBed(routes: (app: FastifyInstance) => void = () => {}): Promise<AgentBed> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), "towline-agent-"));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const git = stack.use(await serveTestGit());
  const server = stack.use(
    await playServer((app) => {
      git.routes(app);
      routes(app);
    }),
  );
  const options: AgentOptions = {
    ...usualOptions,
    ...{ ...connectServer({ url: server.url, token: "tw_token-of-the-agent", home }), home, defaultImage: image },
    ...{ compose, engine: connectEngine() },
    log: createLog(process.env["TEST_LOG"] ?? "silent"),
  };
  const agents = stack.use(new AsyncDisposableStack());
  async function give(work: Work, files: Record<string, string> = {}, more: Partial<Assignment> = {}) {
    const commit = await git.commit("orders", files);
    const build = { id: crypto.randomUUID(), number: 1, repository: "orders", branch: "main", commit, message: "" };
    return server.give({ work, build, ...more });
  }
  const kept = stack.move();
  const dispose = async () => {
    await agents[Symbol.asyncDispose]();
    // A test that failed may have left what no agent removed.
    const id = await readFile(join(home, "id"), "utf8").catch(() => "none");
    await removeDockerThings(options, id);
    await forgetBuilder(options.engine, id);
    await kept.disposeAsync();
  };
  return {
    ...{ server, git, home, options, give },
    start: async (more = {}, abandon = new AbortController().signal) =>
      agents.use(orThrow(await startAgent({ ...options, ...more }, abandon))),
    command: (commands, more) => give({ kind: "command", commands, image }, { "greeting.txt": "hello\n" }, more),
    [Symbol.asyncDispose]: dispose,
  };
}
