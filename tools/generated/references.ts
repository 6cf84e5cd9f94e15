/** The parts of the documentation that the code itself knows; a test holds the files in docs/ against them. */
import { errorCatalogue } from "#api/errors.ts";
import { faultCatalogue } from "#pipeline/fault.ts";
import { configManual } from "#kernel/config.ts";
import { commandRows } from "../../cli/command-rows.ts";

const notice = "<!-- Made by `npm run generate`; do not edit. -->";

export function references(): Record<string, string> {
  return { "docs/errors.md": errors(), "docs/configuration.md": configuration(), "docs/commands.md": commands() };
}

function errors(): string {
  const refusals = Object.entries(errorCatalogue).map(
    ([code, { status, exit, summary }]) => `| \`${code}\` | ${status} | ${exit} | ${summary} |`,
  );
  const faults = Object.entries(faultCatalogue).map(([code, summary]) => `| \`${code}\` | ${summary} |`);
  return page("Error codes", [
    "Every refusal carries a stable code, a sentence, where it is known a place (`file:line:column`), and what to do next.",
    'Over HTTP: `{"error": {"code", "message", "place", "fix", "details", "requestId"}}`. The command line exits with 1 when what was asked did not succeed, with 2 when the request itself was wrong.',
    table(["code", "HTTP", "exit", "meaning"], refusals),
    "## Faults in files\n\nErrors and warnings in `towline.yml`, pipeline files and environment files; all faults of a file are told at once.",
    table(["code", "meaning"], faults),
  ]);
}

function configuration(): string {
  const rows = configManual().map(
    ({ name, meaning, fallback }) => `| \`${name}\` | ${fallback ? `\`${fallback}\`` : ""} | ${meaning} |`,
  );
  return page("Configuration", [
    "The server reads these variables once, at its start. An unknown `TOWLINE_*` variable is refused with a suggestion.",
    table(["variable", "default", "meaning"], rows),
    "The command line and agents read `TOWLINE_URL` and `TOWLINE_TOKEN`.",
  ]);
}

function commands(): string {
  const rows = commandRows.map(
    ({ usage, summary, example }) => `| \`towline ${usage}\` | ${summary} | \`${example}\` |`,
  );
  return page("Commands", [
    "Every command takes `--json`, `--url`, `--token`, `--yes` and `--help`. Exit status: 0 done, 1 did not succeed, 2 wrong request.",
    table(["command", "does", "example"], rows),
  ]);
}

function page(title: string, parts: string[]): string {
  return `${[`# ${title}`, notice, ...parts].join("\n\n")}\n`;
}

function table(headings: string[], rows: string[]): string {
  return [`| ${headings.join(" | ")} |`, `|${" --- |".repeat(headings.length)}`, ...rows].join("\n");
}
