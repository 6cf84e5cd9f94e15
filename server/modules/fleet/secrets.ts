import type { Database } from "#kernel/database.ts";
import { renewed, type Vault } from "#kernel/vault.ts";
import { type SecretKey, secretStore } from "./store.ts";

const contextOf = ({ service, environment, name }: SecretKey) => `${service}/${environment}/${name}`;

function weakestFirst<T extends SecretKey>(
  rows: T[],
  { services, environments }: { services: string[]; environments: string[] },
): T[] {
  const rank = (row: SecretKey) =>
    services.indexOf(row.service) * environments.length + environments.indexOf(row.environment);
  return rows.toSorted((a, b) => rank(b) - rank(a));
}

/** Sealing and opening of the secrets table. */
export function fleetSecrets(db: Database, vault: Vault) {
  const store = secretStore(db);
  return {
    /** Values by name for the scopes given, each list from the most specific scope to the least. */
    async open(services: string[], environments: string[]): Promise<Record<string, string>> {
      const rows = weakestFirst(await store.secretsOf(services, environments), { services, environments });
      return Object.fromEntries(rows.map((row) => [row.name, vault.open(row.sealed, contextOf(row))]));
    },
    /** By name, the version of the value that `open` would give. */
    async versions(services: string[], environments: string[]): Promise<Record<string, number>> {
      const rows = weakestFirst(await store.versionsOf(services, environments), { services, environments });
      return Object.fromEntries(rows.map(({ name, version }) => [name, version]));
    },
    /** Seals with the key in use what an older one sealed; answers how many values. */
    async reseal(tx: Database): Promise<number> {
      let count = 0;
      for (const row of await secretStore(tx).sealedSecrets()) {
        const sealed = renewed(vault, row.sealed, contextOf(row));
        if (sealed === undefined) continue;
        await secretStore(tx).reseal(row, sealed);
        count += 1;
      }
      return count;
    },
    put: (tx: Database, key: SecretKey, value: string) =>
      secretStore(tx).putSecret(key, vault.seal(value, contextOf(key))),
    /** Makes the value if there is none; two at once get the same one. */
    async ensure(key: SecretKey, make: () => string): Promise<string> {
      await store.putSecretOnce(key, vault.seal(make(), contextOf(key)));
      const row = (await store.secretsOf([key.service], [key.environment])).find(({ name }) => name === key.name);
      if (!row) throw new Error(`the secret ${contextOf(key)} vanished while it was made`);
      return vault.open(row.sealed, contextOf(key));
    },
  };
}

export type FleetSecrets = ReturnType<typeof fleetSecrets>;
