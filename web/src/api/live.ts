/** One stream for the whole window: it says what changed, and what is shown of that is read anew. */
import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import type { EventName } from "#api/events.ts";
import type { RowName } from "./call.ts";

type Module = EventName extends `${infer M}.${string}` ? M : never;

/** What is read anew when something happens in a module. */
const readers: Record<Module, readonly RowName[]> = {
  access: ["whoAmI", "listUsers", "listTokens", "listAudit"],
  source: ["listRepositories", "listPullRequests", "showPullRequest", "listComments", "listAudit"],
  fleet: [
    "getStatus",
    "listEnvironments",
    "showEnvironment",
    "listServices",
    "showService",
    "planDeployment",
    "listSecrets",
    "listAudit",
  ],
  builds: ["listBuilds", "showBuild", "getStatus", "listAudit"],
  // A signature is an image of the registry, and may be taken away there.
  images: ["verifyRelease", "showReleaseImage", "planDeployment", "listAudit"],
  contracts: [
    ...(["planDeployment", "getStatus", "listAudit"] as const),
    ...(["listContracts", "showContractFit", "listContractCalls"] as const),
  ],
  attestations: ["planDeployment", "showRelease", "verifyRelease", "showReleaseImage", "getStatus", "listAudit"],
  releases: ["listReleases", "showRelease", "getStatus", "listAudit"],
  routing: ["getStatus", "listRoutes", "listAudit"],
  deployments: [
    ...([
      "getStatus",
      "listDeployments",
      "listPreviews",
      "showDeployment",
      "planDeployment",
      "listLocks",
      "listAudit",
    ] as const),
    ...(["showEnvironment", "showPlace", "showRolloutTraffic", "listRoutes"] as const),
  ],
};

const ofBuild = new Set<unknown>([
  "showBuild",
  "listAnnotations",
  "listArtifacts",
  "listBuildTests",
] satisfies RowName[]);

/** What is read anew when something of a kind of subject changes. */
const watchersOf: Record<string, readonly RowName[]> = {
  build: ["listBuilds", "listAgents"],
  slots: ["showBuild"],
  agents: ["showBuild", "listAgents"],
  health: ["getStatus"],
};

/** What changes all the time; the stream says when to look again. */
const figures = new Set<unknown>(["showTraffic", "showRolloutTraffic"] satisfies RowName[]);

/** Many changes come at once; reading once for all of them is enough. */
const gatherMs = 150;

/** `opening`: nothing is read before it is open, or is late; `live`: what is shown is true; `away`: it was true at `since`, and the stream is being opened again. */
export type Connection = { state: "opening" } | { state: "live" } | { state: "away"; since: Date };

let connection: Connection = { state: "opening" };
const watchers = new Set<() => void>();

function become(next: Connection): void {
  connection = next;
  watchers.forEach((watcher) => watcher());
}

export function useConnection(): Connection {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => connection,
  );
}

/** A page is not to be empty because a stream is slow. */
const lateMs = 3_000;

function away(): void {
  if (connection.state !== "away") become({ state: "away", since: new Date() });
}

/** Opens the stream; returns the way to close it. */
export function goLive(queries: QueryClient): () => void {
  const changed = new Set<RowName>();
  const builds = new Set<string>();
  let timer: number | undefined;
  const readAnew = async () => {
    const [rows, ids] = [new Set(changed), new Set(builds)];
    changed.clear();
    builds.clear();
    const concerns = ([name, input]: readonly unknown[]) =>
      rows.has(name as RowName) || (ofBuild.has(name) && ids.has(idOf(input)));
    await queries.invalidateQueries({ predicate: ({ queryKey }) => concerns(queryKey) });
    // Not before it is read: what changes all the time would be asked for again and again and never shown.
    timer = undefined;
    if (changed.size + builds.size > 0) soon();
  };
  const soon = () => (timer ??= window.setTimeout(() => void readAnew(), gatherMs));
  const ears: Record<string, (event: MessageEvent<string>) => void> = {
    message({ data }) {
      const { name } = JSON.parse(data) as { name: EventName };
      for (const row of readers[name.split(".")[0] as Module] ?? []) changed.add(row);
      soon();
    },
    changed({ data }) {
      for (const subject of JSON.parse(data) as string[]) {
        const [kind = "", id = ""] = subject.split(":");
        for (const row of watchersOf[kind] ?? []) changed.add(row);
        if (kind === "build") builds.add(id);
      }
      soon();
    },
    figures: () => void queries.invalidateQueries({ predicate: ({ queryKey: [name] }) => figures.has(name) }),
    missed: () => void queries.invalidateQueries(),
    open() {
      // What was read before, if anything, may have changed since: during a cut, that was told to nobody.
      void queries.invalidateQueries();
      become({ state: "live" });
    },
    error: away,
  };
  const close = keepOpen("/api/live", ears);
  const late = window.setTimeout(() => connection.state === "opening" && away(), lateMs);
  return () => {
    close();
    window.clearTimeout(late);
    window.clearTimeout(timer);
    become({ state: "opening" });
  };
}

/** After which a stream that the browser has given up is opened anew. */
const reopenMs = 2_000;

/** A stream that is cut is opened again by the browser; one that was answered by a refusal, such as a proxy's, never: that is done here. */
function keepOpen(address: string, ears: Record<string, (event: MessageEvent<string>) => void>): () => void {
  let timer: number | undefined;
  let stream: EventSource;
  const open = () => {
    stream = new EventSource(address);
    for (const [name, hear] of Object.entries(ears)) stream.addEventListener(name, hear as EventListener);
    stream.addEventListener("error", () => {
      if (stream.readyState === EventSource.CLOSED) timer = window.setTimeout(open, reopenMs);
    });
  };
  open();
  return () => {
    window.clearTimeout(timer);
    stream.close();
  };
}

/** Of the endpoint's input in a query's key. */
function idOf(input: unknown): string {
  return (input as { params?: { id?: string } } | undefined)?.params?.id ?? "";
}
