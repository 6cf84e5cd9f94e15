import { runTests, takeScreens } from "../../tools/test/run.ts";
import { accepted } from "../output.ts";

/** Runs the checks and tests of this repository, or takes pictures of its web interface; exit status 1 when something failed. */
export async function test({ screens }: { screens?: string }, words: string[]): Promise<void> {
  process.exitCode = screens === undefined ? accepted(await runTests(words)) : await takeScreens(screens);
}
