import { isRefusal, orThrow, refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import { createKeyedLock } from "#kernel/keyed-lock.ts";
import type { Emit } from "#kernel/outbox.ts";
import { type Counted, createAttempts } from "./attempts.ts";
import { type KeptPassword, passwordHash } from "./password-hash.ts";
import { accessStore } from "./store.ts";

interface Deps {
  db: Database;
  emit: Emit;
  clock: Clock;
  /** What a new hash costs (scrypt's N); 200 ms of a core where left out. */
  passwordCost?: number | undefined;
}

export interface Passwords {
  /** The password as it is kept, if it is this user's. An unknown user, one without a password and a wrong one are one refusal. */
  check(user: string, password: string, address: string): Promise<KeptPassword | Refusal>;
  /** Sets it and ends the user's browser sessions but the one that asks; answers how many. */
  set(user: string, password: string, by: { name: string; token: string }): Promise<number>;
  /** Why this user may not change his password by telling `old`; undefined where he may. */
  whyNotBy(old: string | undefined, user: string): Promise<Refusal | undefined>;
}

const mostOfUser = 10;
/** A whole office may come from one. */
const mostOfAddress = 50;
/** So many may wait for their turn; each takes a fifth of a second. */
const mostWaiting = 50;

export function createPasswords({ db, emit, clock, passwordCost }: Deps): Passwords {
  const store = accessStore(db);
  const attempts = createAttempts(clock);
  const hashes = passwordHash(passwordCost);
  const turns = createKeyedLock();
  let waiting = 0;

  /** Nothing is counted for who finds no place: what is counted has had its turn, so nobody fills the counters with names. */
  async function placed<T>(work: () => Promise<T>): Promise<T | Refusal> {
    if (waiting >= mostWaiting) return refuse("server.busy", "too many sign in at once", { fix: "Try again soon." });
    waiting++;
    return work().finally(() => waiting--);
  }

  /** One hash at a time: neither the memory nor the threads that read files are for those who try passwords. */
  const inTurn = <T>(work: () => Promise<T>) => turns.hold("hash", work);

  const attempt = (user: string, password: string, by: Counted[]) =>
    placed(async () => {
      const denied = attempts.begin(by);
      if (denied) return denied;
      const kept = await store.password(user);
      const right = await inTurn(() => hashes.matches(password, kept));
      if (!right || !kept) return refuse("auth.bad-password", "the name or the password is wrong");
      attempts.succeeded(by);
      return kept;
    });

  return {
    check: (user, password, address) =>
      attempt(user, password, [
        { key: `user ${user}`, most: mostOfUser },
        { key: `address ${address}`, most: mostOfAddress },
      ]),

    async whyNotBy(old, user) {
      if (!(await store.password(user))) return undefined;
      if (old === undefined) return refuse("auth.bad-password", "the password that you have now is to be told too");
      const found = await attempt(user, old, [{ key: `change of ${user}`, most: mostOfUser }]);
      if (!isRefusal(found)) return undefined;
      return found.refused === "auth.bad-password" ? { ...found, message: "this is not the password you have" } : found;
    },

    async set(user, password, by) {
      const kept = orThrow(await placed(() => inTurn(() => hashes.hash(password))));
      return db.transaction().execute(async (tx) => {
        await accessStore(tx).setPassword(user, kept, clock.now());
        const ended = await accessStore(tx).endSessions(user, by.token);
        const facts = { user, sessionsEnded: ended.length, actor: by.name };
        await emit(tx, `user:${user}`, "access.password-set", facts);
        return ended.length;
      });
    },
  };
}
