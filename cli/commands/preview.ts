import type { Preview } from "#api/endpoints/deployments.ts";
import { paint } from "../output.ts";

/** One line for each service of it, or why there is none any more. */
export function previewLines({ environment, repository, pullRequest, expiresAt, ending, endedAt, services }: Preview) {
  const until = ending ? `${endedAt ? "ended" : "ends"}: ${ending}` : `until ${expiresAt.slice(0, 16)}Z`;
  const head = `  ${environment}  ${repository} #${pullRequest}  ${paint("dim", until)}`;
  return endedAt ? [head] : [head, ...services.map(serviceLine)];
}

function serviceLine({ service, release, state, reason, url }: Preview["services"][number]): string {
  const mark = state === "succeeded" ? paint("green", "✓") : badly(state) ? paint("red", "✗") : paint("yellow", "…");
  const what = [`${service} #${release ?? "?"}`, state === "succeeded" ? (url ?? "") : state, reason ?? ""];
  return `    ${mark} ${what.filter(Boolean).join("  ")}`;
}

function badly(state: string): boolean {
  return state === "failed" || state === "rolled-back";
}

/** For a table: the address of what stands, or how it goes. */
export function previewCell(preview: Preview | undefined): string {
  if (!preview) return "";
  if (preview.ending !== null) return preview.endedAt ? "ended" : "ends";
  return preview.services.map(({ state, url }) => (state === "succeeded" ? (url ?? state) : state)).join(" ");
}
