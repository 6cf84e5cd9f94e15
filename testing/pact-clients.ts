/** The real command line clients of a broker, each as its users run it: one at the root by token, the other below a path by password. */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { expect } from "vitest";
import type { TestBroker } from "./broker.ts";

const require = createRequire(import.meta.url);

export interface CommandLineClient {
  /** What its pacticipants and environments are called after. */
  tag: string;
  program(): { path: string; args: string[] };
  /** How it is told where the broker is and who asks. */
  env(broker: TestBroker): Record<string, string>;
}

interface Standalone {
  standalone(): { pactFullPath: string; brokerFullPath: string };
}

export const rustClient: CommandLineClient = {
  tag: "rust",
  program: () => {
    const { standalone } = require("@pact-foundation/pact-cli/src/pact-standalone.js") as Standalone;
    return { path: standalone().pactFullPath, args: ["broker"] };
  },
  env: ({ root, token }) => ({ PACT_BROKER_BASE_URL: root, PACT_BROKER_TOKEN: token }),
};

export const rubyClient: CommandLineClient = {
  tag: "ruby",
  program: () => {
    const { standalone } = require("pact-cli-ruby/src/pact-standalone.js") as Standalone;
    return { path: standalone().brokerFullPath, args: [] };
  },
  env: ({ below, token }) => ({
    ...{ PACT_BROKER_BASE_URL: below, PACT_BROKER_USERNAME: "me", PACT_BROKER_PASSWORD: token },
  }),
};

interface Ran {
  code: number;
  output: string;
}

/** A client at a broker, in the folder with its files. */
export function commands({ program, env }: CommandLineClient, place: () => { broker: TestBroker; folder: string }) {
  const run = (...args: string[]): Promise<Ran> => {
    const { path, args: before } = program();
    const { broker, folder } = place();
    const options = { cwd: folder, env: { ...process.env, ...env(broker), PACT_DO_NOT_TRACK: "true" } };
    return new Promise((resolve) => {
      execFile(path, [...before, ...args], options, (error, stdout, stderr) => {
        const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
        resolve({ code, output: stdout + stderr });
      });
    });
  };
  return {
    run,
    async works(...args: string[]): Promise<string> {
      const { code, output } = await run(...args);
      expect({ args, code, output: code === 0 ? "" : output }).toEqual({ args, code: 0, output: "" });
      return output;
    },
    async fails(reason: RegExp, ...args: string[]): Promise<void> {
      const { code, output } = await run(...args);
      expect({ args, failed: code !== 0, output }).toEqual({
        ...{ args, failed: true },
        output: expect.stringMatching(reason) as string,
      });
    },
  };
}
