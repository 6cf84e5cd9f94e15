/** Finds a job's reports in its workspace and reads them. */
import { findFiles, readInside } from "../workspace-files.ts";
import { parseReport, type TestCase } from "./parse-report.ts";

export interface Reports {
  files: number;
  cases: TestCase[];
  /** In words, each with its file: why what was read may not be all. */
  faults: string[];
}

/** Files of one job. */
export const mostReports = 1_000;
const limits = { files: mostReports, fileBytes: 32 * 1024 * 1024, faults: 20 };
/** Results of one job; more are cut off with a word. */
export const mostTests = 50_000;

/** All reports that the patterns name, relative to the workspace. */
export async function readReports(workspace: string, patterns: readonly string[]): Promise<Reports> {
  const reports: Reports = { files: 0, cases: [], faults: [] };
  const note = (fault: string) => void (reports.faults.length < limits.faults && reports.faults.push(fault));
  const { paths, fault } = await findFiles(workspace, patterns, limits.files);
  if (fault) note(fault);
  for (const path of paths) {
    const bytes = await readInside(workspace, path, limits.fileBytes);
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
