/** The service map as nodes and edges: what is measured, and beside it what the manifests say. Pure. */
import type { Output } from "../api/call.ts";
import type { Figures } from "../parts/figures.ts";

export type Traffic = Output<"showTraffic">;
type Service = Pick<Output<"listServices">["services"][number], "name" | "needs" | "uses">;

export interface MapNode {
  id: string;
  kind: "outside" | "service" | "backing" | "elsewhere";
  name: string;
  /** Of all its requests; null where none are measured. */
  figures: Figures | null;
}

export interface MapEdge {
  id: string;
  source: string;
  target: string;
  /** `measured`: somebody asked in the last minute; `declared`: the manifest says so, and nobody asked; `unmeasured`: it does not pass the load balancer. */
  kind: "measured" | "declared" | "unmeasured";
  figures: Figures | null;
}

/** Pixels. */
export const nodeSize = { width: 200, height: 58 };
export const mapSpacing = { nodesep: 28, ranksep: 180, edgesep: 24 };

interface Facts {
  environment: string;
  /** Services that run in the environment. */
  running: readonly string[];
  services: readonly Service[];
  backing: readonly string[];
  traffic: Pick<Traffic, "services" | "calls"> | undefined;
}

const outside = "outside:";

export function mapOf({ environment, running, services, backing, traffic }: Facts): {
  nodes: MapNode[];
  edges: MapEdge[];
} {
  const here = new Set([...running, ...(traffic?.services ?? []).map(({ service }) => service)]);
  const known = services.filter(({ name }) => here.has(name));
  const figuresOf = (name: string) => traffic?.services.find(({ service }) => service === name) ?? null;
  const measured = (traffic?.calls ?? []).map(({ from, to, ...figures }): MapEdge & { from: typeof from } => {
    const source = from === null ? outside : from.environment === environment ? from.service : strangerOf(from);
    return { id: `${source} ${to}`, source, target: to, kind: "measured", figures, from };
  });
  const asked = new Set(measured.map(({ id }) => id));
  const declared = known.flatMap(({ name, needs }) =>
    needs
      .filter((need) => here.has(need) && !asked.has(`${name} ${need}`))
      .map((need): MapEdge => edge(name, need, "declared")),
  );
  const used = known.flatMap(({ name, uses }) =>
    uses.filter((each) => backing.includes(each)).map((each) => edge(name, `backing:${each}`, "unmeasured")),
  );
  const strangers = measured.flatMap(({ from }) => (from && from.environment !== environment ? [from] : []));
  const nodes: MapNode[] = [
    ...(measured.some(({ source }) => source === outside)
      ? [{ id: outside, kind: "outside" as const, name: "People", figures: null }]
      : []),
    ...[...new Set(strangers.map(strangerOf))].map((id) => ({
      ...{ id, kind: "elsewhere" as const, name: id.replace("elsewhere:", ""), figures: null },
    })),
    ...[...here].toSorted().map((name) => ({
      ...{ id: name, kind: "service" as const, name, figures: figuresOf(name) },
    })),
    ...backing.map((name) => ({ id: `backing:${name}`, kind: "backing" as const, name, figures: null })),
  ];
  const edges = [...measured.map(({ from: _, ...each }) => each), ...declared, ...used];
  return { nodes, edges };
}

function strangerOf({ service, environment }: { service: string; environment: string }): string {
  return `elsewhere:${service} in ${environment}`;
}

function edge(source: string, target: string, kind: MapEdge["kind"]): MapEdge {
  return { id: `${source} ${target}`, source, target, kind, figures: null };
}

/** What is left of a map when only those that ask a node, or that it asks, are of interest. */
export function around({ nodes, edges }: { nodes: MapNode[]; edges: MapEdge[] }, id: string) {
  const touching = edges.filter(({ source, target }) => source === id || target === id);
  const near = new Set([id, ...touching.flatMap(({ source, target }) => [source, target])]);
  return { nodes: nodes.filter((node) => near.has(node.id)), edges: touching };
}

/** Pixels, by the logarithm of the requests: a thousand a second are no hundred times as wide as ten. */
export function widthOf({ figures }: MapEdge): number {
  return figures ? Math.min(7, 1.5 + Math.log10(1 + figures.requests) * 2) : 1.25;
}
