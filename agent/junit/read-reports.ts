/** Finds a job's reports in its workspace and reads them. Whoever wrote them is hostile: links lead nowhere, and all is limited. */
import { constants } from "node:fs";
import { glob, lstat, open, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { parseReport, type TestCase } from "./parse-report.ts";

export interface Reports {
  files: number;
  cases: TestCase[];
  /** In words, each with its file: why what was read may not be all. */
  faults: string[];
}

/** Files of one job. */
export const mostReports = 1_000;
const limits = { files: mostReports, fileBytes: 32 * 1024 * 1024, searchMs: 20_000, faults: 20 };
/** Results of one job; more are cut off with a word. */
export const mostTests = 50_000;

/** All reports that the patterns name, relative to the workspace. */
export async function readReports(workspace: string, patterns: readonly string[]): Promise<Reports> {
  const reports: Reports = { files: 0, cases: [], faults: [] };
  const note = (fault: string) => void (reports.faults.length < limits.faults && reports.faults.push(fault));
  const { paths, fault } = await findFiles(workspace, patterns);
  if (fault) note(fault);
  for (const path of paths) {
    const bytes = await readInside(workspace, path);
    if (typeof bytes === "string") note(`${path}: ${bytes}`);
    else {
      const { cases, faults } = parseReport(decode(bytes));
      faults.forEach((each) => note(`${path}: ${each}`));
      reports.files++;
      for (const each of cases.slice(0, mostTests - reports.cases.length)) reports.cases.push(each);
      if (reports.cases.length === mostTests) {
        note(`only the first ${mostTests} results are kept`);
        break;
      }
    }
  }
  return reports;
}

async function findFiles(workspace: string, patterns: readonly string[]): Promise<{ paths: string[]; fault?: string }> {
  const found = new Set<string>();
  const deadline = Date.now() + limits.searchMs;
  for (const pattern of patterns) {
    for await (const path of glob(pattern, { cwd: workspace })) {
      if (Date.now() > deadline)
        return { paths: [...found].toSorted(), fault: `the search for ${pattern} took too long` };
      found.add(path);
      if (found.size > limits.files)
        return { paths: [...found].slice(0, limits.files), fault: `only ${limits.files} files of reports are read` };
    }
  }
  return { paths: [...found].toSorted() };
}

/** The bytes of a file that lies within the workspace and is one; otherwise why not. */
async function readInside(workspace: string, path: string): Promise<Buffer | string> {
  const root = await realpath(workspace);
  const real = await realpath(join(root, path)).catch(() => undefined);
  if (real === undefined || relative(root, real).split(sep)[0] === "..") return "it leads out of the workspace";
  // What is neither file nor folder could make whoever opens it wait for ever.
  if (!(await lstat(real)).isFile()) return "it is no file";
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (!file) return "it cannot be read";
  try {
    if ((await file.stat()).size > limits.fileBytes) return `it is larger than ${limits.fileBytes / 1024 / 1024} MiB`;
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** In the encoding that its first bytes or its declaration name, UTF-8 otherwise. */
function decode(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  const declared = /^[^<]{0,200}<\?xml[^>]{0,100}encoding=["']([\w-]{1,30})["']/.exec(bytes.toString("latin1", 0, 400));
  try {
    return new TextDecoder(declared?.[1] ?? "utf-8").decode(bytes);
  } catch {
    return bytes.toString("utf8");
  }
}
