import { runTests } from "../../tools/test/run.ts";
import { accepted } from "../output.ts";

/** Runs the checks and tests of this repository; exit status 1 when one of them failed. */
export async function test(_flags: object, words: string[]): Promise<void> {
  process.exitCode = accepted(await runTests(words));
}
