import type { fleetEndpoints } from "#api/endpoints/fleet.ts";
import { refuse } from "#api/errors.ts";
import type { Database } from "#kernel/database.ts";
import { type Handlers, userOf } from "#kernel/http.ts";
import type { Identity } from "#kernel/identity.ts";
import type { Emit } from "#kernel/outbox.ts";
import type { Vault } from "#kernel/vault.ts";
import { promotionOrder } from "./core/promotion-order.ts";
import type { FleetSecrets } from "./secrets.ts";
import { fleetStore, secretStore } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  secrets: FleetSecrets;
  vault: Vault;
  identity: Pick<Identity, "recipient">;
}

export function fleetRoutes({ db, emit, secrets, vault, identity }: Deps): Handlers<typeof fleetEndpoints> {
  const store = fleetStore(db);
  return {
    async listServices() {
      const rows = await store.services();
      return { services: rows.map(viewService) };
    },

    async showService({ params }) {
      const rows = await store.services();
      const found = rows.find(({ name }) => name === params.service);
      if (!found) return refuse("not-found", `there is no service ${params.service}`);
      const neededBy = rows.filter(({ manifest }) => manifest.needs.includes(found.name)).map(({ name }) => name);
      return { ...viewService(found), manifest: { ...found.manifest }, neededBy };
    },

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

type ServiceRow = Awaited<ReturnType<ReturnType<typeof fleetStore>["services"]>>[number];

function viewService({ manifest, gone_at: gone, ...row }: ServiceRow) {
  return { ...row, needs: manifest.needs, uses: manifest.uses, goneAt: gone?.toISOString() ?? null };
}

type EnvironmentRow = Awaited<ReturnType<ReturnType<typeof fleetStore>["environments"]>>[number];

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
