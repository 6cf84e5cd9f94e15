/** Secrets that stand encrypted in environment files. */
import { createHash } from "node:crypto";
import type { Identity } from "#kernel/identity.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";

export function secretsInGit(identity: Identity) {
  return {
    /** Throws when one cannot be opened. */
    async open(service: string, environment: EnvironmentFile): Promise<Record<string, string>> {
      const values = sealed(service, environment).map(
        async ([name, text]) => [name, await identity.decrypt(text)] as const,
      );
      return Object.fromEntries(await Promise.all(values));
    },
    /** A number told by what stands in the file: encrypted anew, it is another one. */
    versions(service: string, environment: EnvironmentFile): Record<string, number> {
      return Object.fromEntries(sealed(service, environment).map(([name, text]) => [name, numberOf(text)]));
    },
  };
}

/** Those of the service win over those for all. */
function sealed(service: string, { secrets }: EnvironmentFile): [string, string][] {
  return Object.entries({ ...secrets["*"], ...secrets[service] });
}

function numberOf(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}
