/** The command line, made from the rows of `command-rows.ts`. */
import { type Command, CommanderError, program } from "commander";
import { RefusalError, refuse } from "#api/errors.ts";
import packageJson from "../package.json" with { type: "json" };
import { type CommandRow, commandRows } from "./command-rows.ts";
import { CommandRefused, reportRefusal, tell } from "./output.ts";

const groups: Record<string, string> = {
  backing: "backing services: list, backup, backups, download, restore, cancel, remove",
  build: "builds: create, list, show, watch, logs, tests, cancel, retry",
  pipeline: "pipeline files: lint, plan, run, schema",
  contract: "contracts between services: list, diff, uses",
  deploy: "deployments: deploy, together, pause, promote, abort",
  environment: "environments, which are files in the repository `fleet`: remove",
  pr: "pull requests: open, list, show, approve, merge, close",
  release: "releases: list, show, verify, attest, key, rotate-key",
  repository: "repositories: create, list",
  schedule: "builds at the times of a cron expression: create, list, remove",
  token: "tokens: list, create, revoke",
  user: "users: list, create, role",
  tests: "tests of a repository: list, show, quarantine, release",
  secret: "secrets: set, list, delete, encrypt, public-key, rotate-key",
  route: "routes of services: maintenance, pause",
  ingress: "machines that take traffic besides the server's: create, run, list, remove",
  upstream: "registries whose images are kept here: set, list, remove",
  webhook: "builds by signed calls from outside: create, list, remove",
};

function addRow({ usage, summary, options = [], example, isDefault = false, load }: CommandRow): void {
  const command = commandOf(usage, isDefault).description(summary);
  for (const [flags, text, fallback] of options) command.option(flags, text, fallback);
  command.addHelpText("after", `\nExample:\n  ${example}`);
  command.action(async () => {
    // Every command takes its options, those of the program among them, then its arguments.
    const run = (await load()) as (flags: object, ...args: unknown[]) => Promise<unknown>;
    await run(command.optsWithGlobals(), ...command.processedArgs);
  });
}

/** `deploy <service> <environment>` is what a group does by itself, when no command of the group is named. */
function commandOf(usage: string, isDefault: boolean): Command {
  const [first = "", ...rest] = usage.split(" ");
  if (!(first in groups)) return program.command(usage, { isDefault });
  const group = groupOf(first);
  return rest[0]?.startsWith("<") ? group.arguments(rest.join(" ")) : group.command(rest.join(" "), { isDefault });
}

function groupOf(name: string): Command {
  const known = program.commands.find((each) => each.name() === name);
  return known ?? program.command(name).description(groups[name] ?? "");
}

program
  .name("towline")
  .description("From git push to production for a fleet of microservices.")
  .version(packageJson.version)
  .option("--json", "print JSON for programs")
  .option("--url <url>", "address of the server (or TOWLINE_URL)")
  .option("--token <token>", "token (or TOWLINE_TOKEN, or what `towline login` kept)")
  .option("--yes", "answer every question with yes")
  .exitOverride()
  .showHelpAfterError("See `towline --help`.");
commandRows.forEach(addRow);
// A reader such as `head` that has seen enough is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const json = program.opts<{ json?: boolean }>().json ?? false;
  if (error instanceof CommandRefused || error instanceof RefusalError) return reportRefusal(error.refusal, json);
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return reportRefusal(refuse("server.failed", "this is a fault of Towline; the lines above tell where"), json);
}
