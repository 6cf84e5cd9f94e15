/** What the pre-receive hook and the server say to each other over the channel, line by line. */

export interface Announced {
  /** Folder in which git holds the objects of the push apart. */
  quarantine: string;
  /** Branches that would be made or moved. */
  branches: { name: string; revision: string }[];
}

/** The hook's announcement once it is complete: `quarantine <folder>`, `ref <old> <new> <name>` for each, `ready`. */
export function readAnnouncement(text: string): Announced | undefined {
  if (!/(^|\n)ready\n$/.test(text)) return undefined;
  const lines = text.split("\n");
  const quarantine = lines.find((line) => line.startsWith("quarantine "))?.slice("quarantine ".length) ?? "";
  const branches = lines.flatMap((line) => {
    const [, revision = "", name = ""] = /^ref [0-9a-f]{40} ([0-9a-f]{40}) refs\/heads\/(\S+)$/.exec(line) ?? [];
    return name === "" || /^0+$/.test(revision) ? [] : [{ name, revision }];
  });
  return { quarantine, branches };
}

/** `go`, or the lines that the hook shows, and the end. */
export function answerText(lines: readonly string[]): string {
  if (lines.length === 0) return "go\n";
  return [...lines.map((line) => `say ${line.replaceAll(/[^\P{C}]/gu, " ")}`), "refused", ""].join("\n");
}

const mostLines = 20;

export function refusalLines(branch: string, faults: readonly string[]): string[] {
  const more = faults.length > mostLines ? [`… and ${faults.length - mostLines} more`] : [];
  const shown = faults.slice(0, mostLines).map((fault) => `  ${fault}`);
  return [`${branch} is not taken, nothing has changed:`, ...shown, ...more];
}
