import type { CallOutput } from "#api/endpoint.ts";
import type { AllEndpoints } from "#api/endpoints.ts";
import { accepted, age, paint, print, printJson, shortCommit, table } from "../output.ts";
import { backingNote } from "./backing.ts";
import { previewLines } from "./preview.ts";
import { openClient, type SessionFlags } from "../session.ts";

type Status = CallOutput<AllEndpoints["getStatus"]>;
type Cell = Status["services"][number]["cells"][number];
type Deployment = NonNullable<Cell["running"]>;

/** The fleet matrix: services down, environments across. */
export async function showStatus(flags: SessionFlags & { json?: boolean }): Promise<void> {
  const client = await openClient(flags);
  const status = accepted(await client.getStatus({}));
  if (flags.json) return printJson(status);
  print(renderStatus(status));
}

export function renderStatus({ environments, left, services, backings, previews }: Status): string {
  if (services.length === 0) return "No services yet: push a repository with a towline.yml.";
  const rows = services.map(({ service, cells }) => [
    paint("bold", service),
    ...environments.map((name) => renderCell(cells.find((cell) => cell.environment === name))),
  ]);
  const ofBackings = backings.flatMap((each) => {
    const note = backingNote(each);
    const mark = each.trouble ? paint("red", "✗") : paint("yellow", "…");
    return note === "" ? [] : [`${mark} ${each.name} in ${each.environment}: ${note}`];
  });
  const notes = [
    ...services.flatMap(({ service, cells }) => cells.flatMap((cell) => notesOf(service, cell))),
    ...ofBackings,
    ...left.environments.map(leftEnvironment),
    ...left.services.map(leftService),
  ];
  return [
    table(["SERVICE", ...environments.map((name) => name.toUpperCase())], rows),
    ...(previews.length > 0 ? ["", paint("bold", "PREVIEWS"), ...previews.flatMap(previewLines)] : []),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

function leftEnvironment({ environment, services }: Status["left"]["environments"][number]): string {
  const serve = `${services.join(", ")} serve${services.length === 1 ? "s" : ""} on`;
  return `${paint("yellow", "…")} ${environment} has no file any more, and ${serve}; \`towline environment remove ${environment}\` ends it`;
}

function leftService({ service, environments }: Status["left"]["services"][number]): string {
  const serves = `serves on in ${environments.join(", ")}`;
  return `${paint("yellow", "…")} ${service} is in no repository any more, and ${serves}; \`towline service remove ${service}\` ends it`;
}

function renderCell(cell: Cell | undefined): string {
  if (!cell?.release) return paint("dim", cell?.running ? `→ #${cell.running.release} ${cell.running.phase}` : "–");
  const { instances } = cell;
  const parts = [
    `#${cell.release}`,
    shortCommit(cell.commit ?? ""),
    cell.since ? age(cell.since) : "",
    healthMark(cell.healthy) +
      ` ${instances.healthy ?? "?"}/${instances.wanted}${cell.scale ? ` of ${cell.scale.min}..${cell.scale.max}` : ""}`,
    cell.running ? paint("yellow", `→ #${cell.running.release} ${cell.running.phase}`) : "",
    cell.waiting.length > 0 ? paint("yellow", `${cell.waiting.length} waiting`) : "",
  ];
  return parts.filter(Boolean).join(" ");
}

function healthMark(healthy: boolean | null): string {
  if (healthy === null) return paint("yellow", "?");
  return healthy ? paint("green", "✓") : paint("red", "✗");
}

/** What is locked, what waits and why, and how the last deployment ended when it did not end well. */
function notesOf(service: string, cell: Cell): string[] {
  const { environment, waiting, last, locks, pending, drift, restarted, closed } = cell;
  const where = `${service} in ${environment}`;
  const held = locks.map(
    ({ owner, until, reason }) => `${paint("yellow", "⊘")} ${where}: locked by ${owner} until ${until}: ${reason}`,
  );
  const changed = `${paint("yellow", "Δ")} ${where}: ${pending.join(", ")} changed; \`towline deploy\` brings it`;
  const shut = closed && `${paint("yellow", "⊘")} ${where}: ${closed.mode} until ${closed.until}`;
  const waits = [
    ...(shut ? [shut] : []),
    ...scaleNote(where, cell),
    ...drift.map((each) => `${paint("red", "≠")} ${where}: ${each}`),
    ...restarted.map((each) => `${paint("yellow", "↻")} ${where}: ${each}`),
    ...(pending.length > 0 ? [changed] : []),
    ...held,
    ...waiting.map(
      (each) =>
        `${paint("yellow", "…")} ${where}: release ${each.release ?? "?"} waits: ${each.wait?.message ?? "its turn"}`,
    ),
  ];
  return last && badEnd(last) ? [...waits, `${paint("red", "!")} ${where}: ${endOf(last)}`] : waits;
}

function scaleNote(where: string, { scale, instances }: Cell): string[] {
  if (!scale) return [];
  const { min, max, arriving, leaving, why } = scale;
  const moving = [arriving > 0 ? `${arriving} more on the way` : "", leaving > 0 ? `${leaving} on the way out` : ""];
  const now = [`${instances.wanted} of ${min}..${max}`, ...moving].filter(Boolean).join(", ");
  return [`${paint("dim", "⇅")} ${where}: ${now}: ${why}`];
}

function badEnd({ outcome }: Deployment): boolean {
  return outcome === "failed" || outcome === "rolled-back";
}

export function endOf({
  kind,
  release,
  outcome,
  reason,
}: Pick<Deployment, "kind" | "release" | "outcome" | "reason">): string {
  const what = `${kind === "rollback" ? "rollback to" : "deployment of"} release ${release ?? "?"}`;
  return `${what} ${outcome === "rolled-back" ? "was rolled back" : outcome}${reason ? `: ${reason}` : ""}`;
}
