import type { fleetEndpoints } from "#api/endpoints/fleet.ts";
import { refuse } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { Identity } from "#kernel/identity.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import { inFolder, manifestName } from "#pipeline/services.ts";
import type { Source } from "#source";
import { promotionOrder } from "./core/promotion-order.ts";
import type { FleetSecrets } from "./secrets.ts";
import { fleetStore, secretStore } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  secrets: FleetSecrets;
  vault: Vault;
  identity: Pick<Identity, "recipient">;
  source: Pick<Source, "readFile">;
}

export function fleetRoutes({ db, emit, secrets, vault, identity, source }: Deps): Handlers<typeof fleetEndpoints> {
  const store = fleetStore(db);
  return {
    async listServices() {
      const rows = await store.services();
      return { services: rows.map(viewService) };
    },

    showService: ({ params }) => showService({ store, source }, params.service),

    async listEnvironments() {
      const rows = (await store.environments()).map((row) => ({ ...row, after: row.definition?.after }));
      return { environments: promotionOrder(rows).map(viewEnvironment) };
    },

    setSecret: ({ body: { value, ...key } }, context) =>
      db.transaction().execute(async (tx) => {
        await secrets.put(tx, key, value);
        await emit(tx, `secret:${key.name}`, "fleet.secret-changed", {
          ...key,
          change: "set",
          actor: userOf(context).name,
        });
        return { set: true as const };
      }),

    async listSecrets() {
      const rows = await secretStore(db).secretNames();
      return {
        secrets: rows.map(({ updated_at, ...row }) => ({
          ...row,
          updatedAt: updated_at.toISOString(),
        })),
      };
    },

    showPublicKey: () => ({ recipient: identity.recipient }),

    async rotateKey(_, context) {
      // Durable before the first value needs it; cut short after that, the next rotation seals the rest.
      const key = await vault.rotate();
      return db.transaction().execute(async (tx) => {
        const resealed = await secrets.reseal(tx);
        await emit(tx, "secret-key", "fleet.key-rotated", { key, actor: userOf(context).name });
        return { key, resealed };
      });
    },

    deleteSecret: ({ query: key }, context) =>
      db.transaction().execute(async (tx) => {
        const deleted = await secretStore(tx).deleteSecret(key);
        if (!deleted)
          return refuse("not-found", `there is no secret ${key.name} for ${key.service} in ${key.environment}`);
        await emit(tx, `secret:${key.name}`, "fleet.secret-changed", {
          ...key,
          change: "deleted",
          actor: userOf(context).name,
        });
        return { deleted: true as const };
      }),
  };
}

async function showService({ store, source }: Pick<Deps, "source"> & { store: Store }, name: string) {
  const rows = await store.services();
  const found = rows.find((row) => row.name === name);
  if (!found) return refuse("not-found", `there is no service ${name}`);
  const neededBy = rows.filter(({ manifest }) => manifest.needs.includes(name)).map((row) => row.name);
  const path = inFolder(found.folder, manifestName);
  const manifestText = (await source.readFile(found.repository, found.commit, path)) ?? null;
  return { ...viewService(found), manifest: { ...found.manifest }, manifestText, neededBy };
}

type Store = ReturnType<typeof fleetStore>;
type ServiceRow = Awaited<ReturnType<Store["services"]>>[number];

function viewService({ manifest, gone_at: gone, ...row }: ServiceRow) {
  return { ...row, needs: manifest.needs, uses: manifest.uses, goneAt: gone?.toISOString() ?? null };
}

type EnvironmentRow = Awaited<ReturnType<Store["environments"]>>[number];

function viewEnvironment({ name, commit, definition, fault }: EnvironmentRow) {
  return {
    name,
    commit,
    target: definition?.target ?? null,
    after: definition?.after ?? null,
    backing: Object.keys(definition?.backing ?? {}),
    faults: (fault ?? []).map(({ message, place }) => ({ message, ...place })),
  };
}
