/** The command line: one row a command; what a command does is loaded only when it runs. */
import { type Command, CommanderError, program } from "commander";
import { isRefusal, RefusalError, refuse } from "#api/errors.ts";
import packageJson from "../package.json" with { type: "json" };
import { CommandRefused, reportRefusal, tell } from "./output.ts";

/** Loads the command and runs it with its options, those of the program among them, and its arguments. */
function action<Flags extends object>(load: () => Promise<(flags: Flags, ...args: string[]) => Promise<unknown>>) {
  return async (...given: unknown[]) => {
    const command = given.at(-1) as Command;
    const run = await load();
    await run(command.optsWithGlobals<Flags>(), ...(command.processedArgs as string[]));
  };
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

program
  .command("up")
  .description("run the server and one agent on this machine")
  .addHelpText("after", "\nExample:\n  towline up")
  .action(action(async () => (await import("./commands/up.ts")).runUp));

program
  .command("server")
  .description("run the server alone")
  .addHelpText("after", "\nExample:\n  TOWLINE_PORT=7300 towline server")
  .action(action(async () => (await import("./commands/server.ts")).runServer));

program
  .command("agent")
  .description("run an agent that leases jobs from a server")
  .option("--capacity <jobs>", "jobs at a time (default: one a core)")
  .option("--tag <name=value...>", "tags that steps can ask for")
  .option("--image <image>", "image of command steps that name none", "towline/base-debian:stable")
  .option("--home <folder>", "folder for mirrors and workspaces")
  .option("--with-parent", "end when standard input is closed")
  .addHelpText("after", "\nExample:\n  towline agent --url http://towline.example:7300 --token tw_… --tag queue=large")
  .action(action(async () => (await import("./commands/agent.ts")).runAgent));

program
  .command("login")
  .description("check a token and keep it for later commands")
  .addHelpText("after", "\nExample:\n  towline login --url http://127.0.0.1:7300 --token tw_…")
  .action(action(async () => (await import("./commands/login.ts")).login));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const json = program.opts<{ json?: boolean }>().json ?? false;
  if (error instanceof CommandRefused || error instanceof RefusalError) return reportRefusal(error.refusal, json);
  if (isRefusal(error)) return reportRefusal(error, json);
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return reportRefusal(refuse("server.failed", "this is a fault of Towline; the lines above tell where"), json);
}
