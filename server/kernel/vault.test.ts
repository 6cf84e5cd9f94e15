import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { openVault } from "./vault.ts";

const home = await mkdtemp(join(tmpdir(), "towline-vault-"));
afterAll(() => rm(home, { recursive: true }));

describe("the vault", () => {
  test("opens what it sealed, also after a restart, and shows nothing of it", async () => {
    const [first, second] = [await openVault(home), await openVault(home)];
    fc.assert(
      fc.property(fc.string(), fc.string(), (plain, context) => {
        const sealed = first.seal(plain, context);
        expect(second.open(sealed, context)).toBe(plain);
        expect(plain.length > 8 && sealed.includes(plain)).toBe(false);
      }),
    );
  });

  test("refuses a value that was moved to another name, and one that was changed", async () => {
    const vault = await openVault(home);
    const sealed = vault.seal("value", "orders/production/KEY");
    expect(() => vault.open(sealed, "orders/test/KEY")).toThrow();
    expect(() => vault.open(`${sealed.slice(0, -2)}AA`, "orders/production/KEY")).toThrow();
  });

  test("fails closed with another key, naming both", async () => {
    const sealed = (await openVault(home)).seal("value", "c");
    await writeFile(join(home, "secrets/vault-key"), Buffer.alloc(32, 7));
    const other = await openVault(home);
    expect(() => other.open(sealed, "c")).toThrow(/sealed with key [0-9a-f]{8}, but the key in use is/);
  });

  test("seals with the new key after a rotation, and still opens what an older one sealed, also after a restart", async () => {
    const vault = await openVault(home);
    const old = vault.seal("value", "c");
    const id = await vault.rotate();
    expect([vault.isCurrent(old), vault.open(old, "c")]).toEqual([false, "value"]);
    const again = await openVault(home);
    const fresh = again.seal("value", "c");
    expect(fresh.split(".")[1]).toBe(id);
    expect([again.isCurrent(fresh), again.open(old, "c"), vault.open(fresh, "c")]).toEqual([true, "value", "value"]);
    await writeFile(join(home, "secrets/vault-key"), Buffer.alloc(32, 9));
    const foreign = await openVault(home);
    expect(() => foreign.open(old, "c")).toThrow("sealed with key");
  });

  test("refuses a key file that was cut short", async () => {
    await writeFile(join(home, "secrets/vault-key"), "short");
    await expect(openVault(home)).rejects.toThrow("restore it from your backup");
  });
});
