import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openVault } from "#kernel/vault.ts";
import { testDatabase } from "#testing/database.ts";
import { triggerStore } from "./trigger-store.ts";
import { resealReaction, secretOf } from "./webhooks.ts";

test("the secret of a webhook is sealed anew after a rotation of the key, and stays the same", async () => {
  await using database = await testDatabase();
  const home = await mkdtemp(join(tmpdir(), "towline-reseal-"));
  const vault = await openVault(home);
  const sealed = vault.seal("hush", "webhook/orders");
  await triggerStore(database.db).putWebhook({
    ...{ repository: "orders", sealed, creator: "ada" },
    created_at: new Date(),
  });
  const key = await vault.rotate();
  const event = { id: 1, name: "fleet.key-rotated" as const, subject: "secret-key", payload: { key }, at: new Date() };
  for (let turn = 0; turn < 2; turn++)
    await database.db.transaction().execute((tx) => resealReaction(vault).react(tx, event as never));
  const row = await triggerStore(database.db).webhook("orders");
  expect(row && [vault.isCurrent(row.sealed), secretOf(vault, row)]).toEqual([true, "hush"]);
  await rm(home, { recursive: true, force: true });
});
