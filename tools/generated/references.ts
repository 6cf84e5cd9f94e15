/** The parts of the documentation that the code itself knows; a test holds the files in docs/ against them. */
import { allEndpoints } from "#api/endpoints.ts";
import { errorCatalogue } from "#api/errors.ts";
import { faultCatalogue } from "#pipeline/fault.ts";
import { configManual } from "#kernel/config.ts";
import type { Command } from "#agent/job-tool/command.ts";
import { groups, isCommand } from "#agent/job-tool/commands.ts";
import { commandRows } from "../../cli/command-rows.ts";

const notice = "<!-- Made by `npm run generate`; do not edit. -->";

export function references(): Record<string, string> {
  return {
    "docs/errors.md": errors(),
    "docs/configuration.md": configuration(),
    "docs/commands.md": commands(),
    "docs/job-commands.md": jobCommands(),
    "web/src/api/rows.ts": webRows(),
  };
}

/** Method and path of every endpoint: all that a browser needs of the rows. */
function webRows(): string {
  const rows = Object.entries(allEndpoints).map(([name, { method, path }]) => `  ${name}: ["${method}", "${path}"],\n`);
  const type =
    'import type { Endpoint } from "#api/endpoint.ts";\nimport type { AllEndpoints } from "#api/endpoints.ts";\n\n';
  const shape = 'Record<keyof AllEndpoints, readonly [method: Endpoint["method"], path: string]>';
  return `/** Made by \`npm run generate\`; do not edit. */\n${type}export const rows: ${shape} = {\n${rows.join("")}};\n`;
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

function jobCommands(): string {
  const rows = Object.entries(groups).flatMap(([group, found]) =>
    isCommand(found)
      ? [jobCommandRow(group, found)]
      : Object.entries(found).map(([key, command]) => jobCommandRow(`${group} ${key}`, command)),
  );
  return page("The agent's command line inside jobs", [
    "Every container of a job has `towline-agent` on its PATH, and the same under the name `buildkite-agent`, so that scripts written for Buildkite run unchanged. It is a static program that works in any image; what it is asked is done by the agent, in the name of this attempt at this job and no longer than that lasts.",
    table(["command", "does", "flags"], rows),
    "`--help` tells more of each. Flags stand before or behind arguments, with one dash or two. Exit status: 0 done, 1 not; `meta-data exists` answers 100 where there is no value. While the server is away a call waits for it.",
    "## Differences from Buildkite\n\n" +
      table(
        ["what", "here", "why"],
        jobDifferences.map(([what, here, why]) => `| ${what} | ${here} | ${why} |`),
      ),
    "## Limits\n\nA value of meta-data 100 KiB, 1,000 keys and 10 MiB a build; an annotation 1 MiB, 100 a build; an artifact 10 GiB, 5,000 a job; 64 calls of a job at a time; values to hide 64 KiB a call. Artifacts stay for `TOWLINE_ARTIFACT_DAYS` after the end of their build.",
  ]);
}

const jobDifferences: readonly (readonly [what: string, here: string, why: string])[] = [
  ["`artifact upload … s3://…`", "refused", "the platform keeps artifacts itself"],
  ["paths outside of the checkout", "refused", "the agent sees the checkout, not the rest of the container"],
  [
    "`pipeline upload --replace`",
    "steps stay that something stands on which has begun; deployments that it removes cannot be uploaded",
    "no gate is passed by removing it",
  ],
  [
    "`step update`",
    "`label` and `priority` of jobs and triggers; `notify` with a warning",
    "people decide by the words of gates",
  ],
  [
    "`env set`, `env unset`",
    "seen by the next command of the step, and by the hooks after it",
    "a step runs as one program; what runs already keeps its variables",
  ],
  ["`secret get --skip-redaction`", "the value is hidden all the same", "nobody needs a secret in a log"],
  ["`start`, `bootstrap`", "refused", "agents are started with `towline agent`"],
  ["`oidc`, `cache`, `tool`", "not there", "nothing here stands behind them; `cache:` is a key of steps"],
  ["`--job`", "only the job itself", "the socket belongs to one attempt"],
  [
    "services of Compose files",
    "have `buildkite-agent` where the plugin docker-compose says `mount-buildkite-agent: true`",
    "their containers are the project's own; those of `test:` have none",
  ],
];

function jobCommandRow(name: string, { usage, summary, flags = {} }: Command): string {
  const words = Object.keys(flags).map((flag) => `\`--${flag}\``);
  return `| \`${`${name} ${usage}`.trim()}\` | ${summary} | ${words.join(" ")} |`;
}

function page(title: string, parts: string[]): string {
  return `${[`# ${title}`, notice, ...parts].join("\n\n")}\n`;
}

function table(headings: string[], rows: string[]): string {
  return [`| ${headings.join(" | ")} |`, `|${" --- |".repeat(headings.length)}`, ...rows].join("\n");
}
