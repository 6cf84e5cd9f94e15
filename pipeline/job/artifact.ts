/** What may be kept as an artifact, and how artifacts are found. */
import { refuse, type Refusal } from "#api/errors.ts";
import { compileGlob } from "../expression/glob.ts";

/** Bytes of one. */
export const artifactLimit = 10 * 1024 ** 3;
/** Of all attempts at one job. */
export const mostOfJob = 5_000;
const longestPath = 1_000;

/** Why a file cannot be kept under the path, or undefined. */
export function refuseArtifact({ path, size }: { path: string; size: number }): Refusal | undefined {
  const problem = problemOfPath(path);
  if (problem) return refuse("artifact.invalid", `${JSON.stringify(path.slice(0, 200))}: ${problem}`);
  if (size <= artifactLimit) return undefined;
  return refuse("artifact.invalid", `${path} has ${size} bytes; one artifact has at most ${artifactLimit}`);
}

export const tooMany = (): Refusal =>
  refuse("artifact.invalid", `a job keeps at most ${mostOfJob} artifacts, all its attempts together`, {
    fix: "Pack them into an archive.",
  });

/** What makes a path dangerous or useless where the file is downloaded. */
function problemOfPath(path: string): string | undefined {
  if (path.length === 0 || path.length > longestPath) return `a path has 1 to ${longestPath} characters`;
  if (/\p{Cc}/u.test(path) || !path.isWellFormed() || path.includes("\ufffd"))
    return "not text without control characters";
  if (path.includes("\\")) return "a path has no backslashes";
  if (path.split("/").some((part) => part === "" || part === "." || part === ".."))
    return "a path is relative, without empty parts, `.` and `..`";
  return undefined;
}

/** Whether a path is meant by a query: a glob, of which `*` crosses folders too. Refuses what is no glob. */
export function pathQuery(query: string): ((path: string) => boolean) | Refusal {
  const compiled = compileGlob(query.replace(/^\.\//, "").replaceAll(/\*+/g, "**"));
  return "problem" in compiled ? refuse("request.invalid", `query: ${compiled.problem}`) : compiled.matches;
}
