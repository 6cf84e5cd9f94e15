import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { armor, Encrypter } from "age-encryption";
import { afterAll, expect, test } from "vitest";
import { openIdentity } from "./identity.ts";

const home = await mkdtemp(join(tmpdir(), "towline-identity-"));
afterAll(() => rm(home, { recursive: true }));

async function encrypt(recipient: string, text: string): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(text);
}

test("opens what was encrypted to its public key, in armor and in base64, also after a restart", async () => {
  const { recipient } = await openIdentity(home);
  const bytes = await encrypt(recipient, "hush ✓");
  const again = await openIdentity(home);
  expect(again.recipient).toBe(recipient);
  expect(await again.decrypt(armor.encode(bytes))).toBe("hush ✓");
  expect(await again.decrypt(Buffer.from(bytes).toString("base64"))).toBe("hush ✓");
  expect((await stat(join(home, "secrets/age-identity"))).mode & 0o777).toBe(0o600);
});

test("opens nothing that was encrypted to another key, changed, or is no age file", async () => {
  const { recipient, decrypt } = await openIdentity(home);
  const bytes = await encrypt(recipient, "hush");
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const other = await mkdtemp(join(tmpdir(), "towline-identity-"));
  const foreign = await encrypt((await openIdentity(other)).recipient, "hush");
  for (const text of [armor.encode(bytes), armor.encode(foreign), "", "hush"])
    await expect(decrypt(text)).rejects.toThrow();
  await rm(other, { recursive: true });
});

test("refuses a spoilt identity file instead of making another one", async () => {
  await writeFile(join(home, "secrets/age-identity"), "AGE-SECRET");
  await expect(openIdentity(home)).rejects.toThrow("restore it from your backup");
});
