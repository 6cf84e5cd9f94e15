/**
 * The key that signs what is attested: ECDSA over P-256, as cosign takes it. Made at the first start, sealed by the vault. One that
 * takes its place is made by an admin; then the private half of the old one is gone, and its public half stays.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { Clock } from "#kernel/clock.ts";
import type { Database, Tx } from "#kernel/database.ts";
import { renewed, type Vault } from "#kernel/vault.ts";
import { attestationStore, type KeyRow } from "./store.ts";

export interface PublicKey {
  /** SHA-256 of the key (DER) in hex. */
  id: string;
  pem: string;
  createdAt: Date;
  /** Undefined for the one that signs. */
  retiredAt: Date | undefined;
}

export interface SigningKeys {
  /** The one that signs, made when there is none. */
  current(): Promise<PublicKey & { sign(data: Buffer): string }>;
  /** Whose signatures count: the one that signs first, then those that signed before it, newest first. */
  trusted(db: Database): Promise<PublicKey[]>;
  /** Puts a new key in the place of the one that signs, in this transaction: until its end the old one signs. */
  rotate(tx: Tx): Promise<{ key: PublicKey; before: PublicKey | undefined }>;
  /** Seals with the vault's key in use what an older one sealed. */
  reseal(db: Database): Promise<void>;
}

/** Old keys that go on counting, at most. */
const mostRetired = 50;

type SigningRow = KeyRow & { sealed: string };

export function createSigningKeys({ db, vault, clock }: { db: Database; vault: Vault; clock: Clock }): SigningKeys {
  async function signing(at: Database): Promise<SigningRow | undefined> {
    const [first] = await attestationStore(at).keys();
    return first?.sealed ? { ...first, sealed: first.sealed } : undefined;
  }

  const make = (): Promise<SigningRow> =>
    db.transaction().execute(async (tx) => {
      await attestationStore(tx).lockKeys();
      return (await signing(tx)) ?? insert(tx);
    });

  async function insert(tx: Tx): Promise<SigningRow> {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const id = keyId(publicKey);
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const row = { id, public_key: pemOf(publicKey), sealed: vault.seal(pem, contextOf(id)), created_at: clock.now() };
    await attestationStore(tx).insertKey(row);
    return { ...row, retired_at: null };
  }

  return {
    async current() {
      const row = (await signing(db)) ?? (await make());
      const key = createPrivateKey(vault.open(row.sealed, contextOf(row.id)));
      return { ...view(row), sign: (data) => sign("sha256", data, key).toString("base64") };
    },
    trusted: async (at) => (await attestationStore(at).keys()).map(view),
    async rotate(tx) {
      const store = attestationStore(tx);
      await store.lockKeys();
      const [before, ...older] = await store.keys();
      // A clock that was set back does not change the order of the keys.
      const now = Math.max(clock.now().getTime(), (older[0]?.retired_at?.getTime() ?? 0) + 1);
      if (before) await store.retireKey(before.id, new Date(now));
      const made = await insert(tx);
      const forgotten = older.slice(mostRetired - 1).map(({ id }) => id);
      if (forgotten.length > 0) await store.forgetKeys(forgotten);
      return { key: view(made), before: before && view(before) };
    },
    async reseal(at) {
      const row = await signing(at);
      const sealed = row && renewed(vault, row.sealed, contextOf(row.id));
      if (row && sealed !== undefined) await attestationStore(at).resealKey(row.id, sealed);
    },
  };
}

/** The key of those whose signature (base64, DER) it is; undefined where it is nobody's, or the data was changed. */
export function signerOf(keys: readonly PublicKey[], data: Buffer, signature: string): PublicKey | undefined {
  const bytes = Buffer.from(signature, "base64");
  return keys.find(({ pem }) => verify("sha256", data, createPublicKey(pem), bytes));
}

function view({ id, public_key: pem, created_at: createdAt, retired_at: retiredAt }: KeyRow): PublicKey {
  return { id, pem, createdAt, retiredAt: retiredAt ?? undefined };
}

const contextOf = (id: string) => `attestation key ${id}`;
const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
const keyId = (key: KeyObject) =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
