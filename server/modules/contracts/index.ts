import type { FastifyInstance } from "fastify";
import type { Access } from "#access";
import type { Notifier } from "#drivers/notifier/contract.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { Jobs, Task } from "#kernel/jobs.ts";
import type { Emit, Reaction } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import { ask } from "./ask.ts";
import type { Row } from "./broker/call.ts";
import { environmentRows } from "./broker/environments.ts";
import { indexRows } from "./broker/index-resource.ts";
import { matrixRows } from "./broker/matrix.ts";
import { pacticipantRows } from "./broker/pacticipants.ts";
import { pactRows } from "./broker/pacts.ts";
import { registerProtocol } from "./broker/protocol.ts";
import { publicationRows } from "./broker/publication.ts";
import { verificationRows } from "./broker/verification.ts";
import { webhookRows } from "./broker/webhooks.ts";
import { versionRows } from "./broker/versions.ts";
import { type ContractAnswer, mayServe, orderOf, type Together, type TogetherAnswer } from "./gate.ts";
import { contractReactions } from "./reactions.ts";
import { contractRoutes } from "./routes.ts";
import { contractStore } from "./store.ts";
import type { AllowedHosts } from "./webhooks/hosts.ts";
import { createWebhooks } from "./webhooks/webhooks.ts";

export { mostTogether } from "./core/together.ts";
export type { ContractAnswer } from "./gate.ts";

export interface ContractsDeps {
  db: Database;
  emit: Emit;
  access: Pick<Access, "authenticate">;
  jobs: Jobs;
  clock: Clock;
  vault: Vault;
  notifier: Notifier;
  config: { publicUrl?: string | undefined; webhookHosts: AllowedHosts };
}

export interface Contracts {
  /** Adds the Pact Broker's API below a path such as `/pact`; at the root, where the path is empty. */
  register(app: FastifyInstance, path: string): void;
  /** May each of these, by itself, begin to serve beside what serves there? Answers in their order, by one question. @param db the transaction in which one begins to. */
  mayServe(db: Database, together: Together): Promise<ContractAnswer[]>;
  /** In which order may these go, so that every moment is compatible? */
  orderOf(db: Database, together: Together): Promise<TogetherAnswer>;
  reactions: Reaction[];
  handlers: ReturnType<typeof contractRoutes>;
  tasks: Record<string, Task>;
}

export function createContracts({ access, config, ...deps }: ContractsDeps): Contracts {
  const { db, emit } = deps;
  const webhooks = createWebhooks({ ...deps, hosts: config.webhookHosts });
  const store = contractStore(db);
  const rows = joined([
    ...indexRows,
    ...pacticipantRows(store),
    ...versionRows(store, db),
    ...pactRows(store),
    ...publicationRows(store, { db, emit, webhooks }),
    ...verificationRows(store, { db, emit, webhooks }),
    ...environmentRows(store, db),
    ...webhookRows(store, { db, emit, webhooks }),
    ...matrixRows((query) => ask(store, query)),
  ]);
  return {
    register: (app, path) => registerProtocol(app, path, { access, publicUrl: config.publicUrl, rows }),
    mayServe,
    orderOf,
    handlers: contractRoutes(db),
    reactions: [...contractReactions(emit), ...webhooks.reactions],
    tasks: webhooks.tasks,
  };
}

/** One row a path, with all its methods. */
function joined(rows: readonly Row[]): Row[] {
  const paths = Map.groupBy(rows, ({ path }) => path);
  return [...paths].map(([path, same]) => ({
    path,
    methods: Object.assign({}, ...same.map(({ methods }) => methods)) as Row["methods"],
  }));
}
