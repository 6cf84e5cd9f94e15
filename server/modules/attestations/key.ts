/** The key that signs what is attested: ECDSA over P-256, as cosign takes it. Made at the first start, sealed by the vault. */
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
import type { Database } from "#kernel/database.ts";
import { renewed, type Vault } from "#kernel/vault.ts";
import { attestationStore, type KeyRow } from "./store.ts";

export interface PublicKey {
  /** SHA-256 of the key (DER) in hex. */
  id: string;
  pem: string;
  createdAt: Date;
}

export interface SigningKeys {
  /** The one that signs, made when there is none. */
  current(): Promise<PublicKey & { sign(data: Buffer): string }>;
  /** Whose signatures count: all that this installation ever signed with. */
  trusted(db: Database): Promise<PublicKey[]>;
  /** Seals with the vault's key in use what an older one sealed. */
  reseal(db: Database): Promise<void>;
}

export function createSigningKeys({ db, vault, clock }: { db: Database; vault: Vault; clock: Clock }): SigningKeys {
  const open = (row: KeyRow) => vault.open(row.sealed, contextOf(row.id));
  let making: Promise<KeyRow> | undefined;

  async function newest(): Promise<KeyRow> {
    const [known] = await attestationStore(db).keys();
    if (known) return known;
    making ??= make().finally(() => (making = undefined));
    return making;
  }

  async function make(): Promise<KeyRow> {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const id = keyId(publicKey);
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const row = { id, public_key: pemOf(publicKey), sealed: vault.seal(pem, contextOf(id)), created_at: clock.now() };
    await attestationStore(db).insertKey(row);
    return row;
  }

  return {
    async current() {
      const row = await newest();
      const key = createPrivateKey(open(row));
      return { ...view(row), sign: (data) => sign("sha256", data, key).toString("base64") };
    },
    trusted: async (at) => (await attestationStore(at).keys()).map(view),
    async reseal(at) {
      const store = attestationStore(at);
      for (const row of await store.keys()) {
        const sealed = renewed(vault, row.sealed, contextOf(row.id));
        if (sealed !== undefined) await store.resealKey(row.id, sealed);
      }
    },
  };
}

/** The key of those whose signature (base64, DER) it is; undefined where it is nobody's, or the data was changed. */
export function signerOf(keys: readonly PublicKey[], data: Buffer, signature: string): PublicKey | undefined {
  const bytes = Buffer.from(signature, "base64");
  return keys.find(({ pem }) => verify("sha256", data, createPublicKey(pem), bytes));
}

function view({ id, public_key: pem, created_at: createdAt }: KeyRow): PublicKey {
  return { id, pem, createdAt };
}

const contextOf = (id: string) => `attestation key ${id}`;
const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
const keyId = (key: KeyObject) =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex");
