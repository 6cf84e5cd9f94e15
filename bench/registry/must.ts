import { type Call, lastWords, run } from "../../tools/host/process.ts";

/** Runs a program that has to succeed. */
export async function must(command: readonly [string, ...string[]], call: Call = {}): Promise<void> {
  const answer = await run(command, call);
  if (answer.code !== 0)
    throw new Error(`${command.slice(0, 3).join(" ")} ended with ${answer.code}:\n${lastWords(answer)}`);
}
