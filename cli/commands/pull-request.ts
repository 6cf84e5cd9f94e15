import type { PullRequest } from "#api/endpoints/pull-requests.ts";
import { accepted, paint, print, printJson, shortCommit, table } from "../output.ts";
import { previewCell, previewLines } from "./preview.ts";
import { openClient, type SessionFlags } from "../session.ts";

export interface PullRequestFlags extends SessionFlags {
  json?: boolean;
  title?: string;
  body?: string;
  state?: "open" | "merged" | "closed";
  of?: "author" | "reviewer";
}

export async function openPullRequest(flags: PullRequestFlags, repository: string, branch: string): Promise<void> {
  const client = await openClient(flags);
  const body = { branch, title: flags.title ?? branch, ...(flags.body ? { body: flags.body } : {}) };
  show(accepted(await client.openPullRequest({ params: { repository }, body })), flags);
}

export async function listPullRequests(flags: PullRequestFlags, repository?: string): Promise<void> {
  const client = await openClient(flags);
  const { pullRequests, more } = accepted(
    await client.listPullRequests({ query: { repository, state: flags.state, of: flags.of } }),
  );
  if (flags.json) return printJson({ pullRequests, more });
  const { previews } = accepted(await client.listPreviews({ query: { repository } }));
  const previewOf = ({ repository: of, number }: PullRequest) =>
    previewCell(previews.find((each) => each.repository === of && each.pullRequest === number));
  const rows = pullRequests.map((each) => [
    ...[`${repository ? "" : each.repository}#${each.number}`, each.state, each.branch, each.author, each.title],
    ...(previews.length > 0 ? [previewOf(each)] : []),
  ]);
  print(table(["NUMBER", "STATE", "BRANCH", "AUTHOR", "TITLE", ...(previews.length > 0 ? ["PREVIEW"] : [])], rows));
  if (more) print(paint("dim", "  and more, which are older"));
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

type Review = PullRequestFlags & { comment?: string };

export async function approvePullRequest(flags: Review, repository: string, number: string): Promise<void> {
  const client = await openClient(flags);
  const body = { comment: flags.comment };
  show(accepted(await client.approvePullRequest({ params: { repository, number }, body })), flags);
}

export async function requestChanges(flags: Review, repository: string, number: string): Promise<void> {
  const client = await openClient(flags);
  const body = { comment: flags.comment };
  show(accepted(await client.requestChanges({ params: { repository, number }, body })), flags);
}

export async function withdrawRequest(
  flags: PullRequestFlags & { of?: string },
  repository: string,
  number: string,
): Promise<void> {
  const client = await openClient(flags);
  const user = flags.of ?? accepted(await client.whoAmI({})).name;
  show(accepted(await client.withdrawRequest({ params: { repository, number, user } })), flags);
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
