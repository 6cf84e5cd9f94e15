import type { PullRequest } from "#api/endpoints/source.ts";
import { accepted, paint, print, printJson, shortCommit, table } from "../output.ts";
import { previewCell, previewLines } from "./preview.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface PullRequestFlags extends SessionFlags {
  json?: boolean;
  title?: string;
  body?: string;
  state?: "open" | "merged" | "closed";
}

export async function openPullRequest(flags: PullRequestFlags, repository: string, branch: string): Promise<void> {
  const client = await openClient(flags);
  const body = { branch, title: flags.title ?? branch, ...(flags.body ? { body: flags.body } : {}) };
  show(accepted(await client.openPullRequest({ params: { repository }, body })), flags);
}

export async function listPullRequests(flags: PullRequestFlags, repository: string): Promise<void> {
  const client = await openClient(flags);
  const { pullRequests } = accepted(
    await client.listPullRequests({ params: { repository }, query: { state: flags.state } }),
  );
  if (flags.json) return printJson({ pullRequests });
  const { previews } = accepted(await client.listPreviews({ query: { repository } }));
  const previewOf = ({ number }: PullRequest) => previewCell(previews.find((each) => each.pullRequest === number));
  const rows = pullRequests.map((each) => [
    ...[`#${each.number}`, each.state, each.branch, each.author, each.title],
    ...(previews.length > 0 ? [previewOf(each)] : []),
  ]);
  print(table(["NUMBER", "STATE", "BRANCH", "AUTHOR", "TITLE", ...(previews.length > 0 ? ["PREVIEW"] : [])], rows));
}

export async function showPullRequest(flags: PullRequestFlags, repository: string, number: string): Promise<void> {
  const client = await openClient(flags);
  const shown = accepted(await client.showPullRequest({ params: { repository, number } }));
  const query = { repository, pullRequest: shown.number };
  const { previews } = accepted(await client.listPreviews({ query }));
  const [preview] = previews;
  if (flags.json) return printJson({ ...shown, preview: preview ?? null });
  show(shown, flags);
  if (preview) previewLines(preview).forEach((line) => print(line));
}

export async function approvePullRequest(flags: PullRequestFlags, repository: string, number: string): Promise<void> {
  const client = await openClient(flags);
  show(accepted(await client.approvePullRequest({ params: { repository, number }, body: {} })), flags);
}

export async function mergePullRequest(flags: PullRequestFlags, repository: string, number: string): Promise<void> {
  const client = await openClient(flags);
  show(accepted(await client.mergePullRequest({ params: { repository, number } })), flags);
}

export async function closePullRequest(flags: PullRequestFlags, repository: string, number: string): Promise<void> {
  const client = await openClient(flags);
  show(accepted(await client.closePullRequest({ params: { repository, number } })), flags);
}

function show(pullRequest: PullRequest, { json }: PullRequestFlags): void {
  if (json) return printJson(pullRequest);
  const { number, title, state, branch, target, head, author, check, checks, approvals, waitsFor } = pullRequest;
  print(`${paint("bold", `#${number} ${title}`)} ${state}  ${branch} → ${target} at ${shortCommit(head)} by ${author}`);
  print(
    `  build: ${check ? `#${check.number} ${check.outcome}` : "none finished"}; approved by ${
      approvals
        .filter(({ counts }) => counts)
        .map(({ user }) => user)
        .join(", ") || "nobody"
    }`,
  );
  for (const { service, outcome, reason, number: build } of checks)
    print(`  ${checkMark(outcome)} ${service}  ${reason ? paint("dim", reason) : `#${build} ${outcome ?? "goes on"}`}`);
  waitsFor.forEach(({ message }) => print(`  ${paint("yellow", "…")} ${message}`));
}

function checkMark(outcome: PullRequest["checks"][number]["outcome"]): string {
  if (outcome === null) return paint("yellow", "…");
  return outcome === "passed" ? paint("green", "✓") : paint("red", "✗");
}
