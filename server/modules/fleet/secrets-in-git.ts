/** Secrets that stand encrypted in environment files. */
import { createHash } from "node:crypto";
import type { Identity } from "#kernel/identity.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";

type FindEnvironment = (name: string) => Promise<EnvironmentFile | undefined>;

export function secretsInGit(identity: Identity, find: FindEnvironment) {
  /** Those of the service win over those for all. */
  async function sealed(service: string, name: string): Promise<[string, string][]> {
    const { secrets = {} } = (await find(name)) ?? {};
    return Object.entries({ ...secrets["*"], ...secrets[service] });
  }
  return {
    /** Throws when one cannot be opened. */
    async open(service: string, environment: string): Promise<Record<string, string>> {
      const values = (await sealed(service, environment)).map(
        async ([name, text]) => [name, await identity.decrypt(text)] as const,
      );
      return Object.fromEntries(await Promise.all(values));
    },
    /** A number told by what stands in the file: encrypted anew, it is another one. */
    async versions(service: string, environment: string): Promise<Record<string, number>> {
      const texts = await sealed(service, environment);
      return Object.fromEntries(texts.map(([name, text]) => [name, numberOf(text)]));
    },
  };
}

function numberOf(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}
