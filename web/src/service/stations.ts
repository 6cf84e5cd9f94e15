/** The stations of a service's way to production, and whether the newest has come to each. Pure. */
import type { Output } from "../api/call.ts";
import type { Tone } from "../theme.ts";

export type Row = Output<"getStatus">["services"][number];
type Build = Pick<
  Output<"listBuilds">["builds"][number],
  "number" | "branch" | "commit" | "state" | "outcome" | "createdAt" | "finishedAt" | "tag"
>;
type Release = Pick<Output<"listReleases">["releases"][number], "number" | "commit" | "createdAt" | "pullRequest">;

export interface Station {
  name: string;
  title: string;
  words: string;
  tone: Tone;
  commit: string | null;
  at: string | null;
}

interface Facts {
  row: Row;
  environments: readonly string[];
  /** From which releases are made; undefined while it is read. */
  branch: string | undefined;
  /** Of that branch; undefined while it is read. */
  head: string | undefined;
  /** Newest first. */
  builds: readonly Build[];
  releases: readonly Release[];
}

export function stationsOf({ row, environments, branch, head, builds, releases }: Facts): Station[] {
  const build = builds.find((each) => each.branch === branch && each.tag === null);
  const release = releases.find(({ pullRequest }) => pullRequest === null);
  return [
    source(head, build),
    built(build),
    released(release, build),
    ...environments.map((environment) => there(row, environment, release)),
  ];
}

export function buildTone(state: Build["state"], outcome: Build["outcome"]): Tone {
  if (outcome === null) return state === "blocked" ? "waiting" : "busy";
  return outcome === "failed" ? "bad" : outcome === "passed" ? "good" : "none";
}

const nothing = { commit: null, at: null, tone: "none" } as const;

function source(head: string | undefined, build: Build | undefined): Station {
  const name = "Source";
  if (head === undefined) return { ...nothing, name, title: "–", words: "being read" };
  const fresh = build?.commit === head;
  return {
    name,
    title: "newest commit",
    words: fresh ? "is built" : "its build begins",
    tone: fresh ? "good" : "busy",
    commit: head,
    at: null,
  };
}

function built(build: Build | undefined): Station {
  const name = "Build";
  if (!build) return { ...nothing, name, title: "–", words: "none yet" };
  const { number, state, outcome, commit, finishedAt, createdAt } = build;
  const words = outcome ?? (state === "blocked" ? "waits at a gate" : state);
  return {
    name,
    title: `build ${number}`,
    words,
    tone: buildTone(state, outcome),
    commit,
    at: finishedAt ?? createdAt,
  };
}

function released(release: Release | undefined, build: Build | undefined): Station {
  const name = "Release";
  if (!release) return { ...nothing, name, title: "–", words: "none yet" };
  const { number, commit, createdAt: at } = release;
  const fresh = build === undefined || build.commit === commit;
  return {
    name,
    title: `release ${number}`,
    words: fresh ? "of the newest build" : "of an older build",
    tone: fresh ? "good" : "none",
    commit,
    at,
  };
}

function there(row: Row, name: string, release: Release | undefined): Station {
  const cell = row.cells.find(({ environment }) => environment === name);
  const title = cell?.release ? `release ${cell.release}` : "nothing serves";
  const place = { name, title, commit: cell?.commit ?? null, at: cell?.since ?? null };
  if (cell?.running) return { ...place, tone: "busy", words: `release ${cell.running.release ?? "?"} on its way` };
  const [waiting] = cell?.waiting ?? [];
  if (waiting) return { ...place, tone: "waiting", words: `release ${waiting.release ?? "?"} waits` };
  if (!cell?.release) return { ...place, tone: "none", words: "not yet" };
  if (cell.healthy === false) return { ...place, tone: "bad", words: "unhealthy" };
  const behind = release ? release.number - cell.release : 0;
  if (behind <= 0) return { ...place, tone: "good", words: "the newest" };
  return { ...place, tone: "waiting", words: behind === 1 ? "one release behind" : `${behind} releases behind` };
}
