/** Takes deliveries in order per subscriber and subject, several lanes at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { Database, Tx } from "./database.ts";
import type { Log } from "./log.ts";
import { type Event, NotYet, type Reaction } from "./reaction.ts";
import type { Wake } from "./wake.ts";

const sweepMs = 2_000;
const lanes = 6;
const longestBackoffSeconds = 60;
const longestWaitSeconds = 1;

export interface DeliveryDeps {
  db: Database;
  wake: Wake;
  log: Log;
  reactions: readonly Reaction[];
  /** What `emit` notifies. */
  channel: string;
}

export function startDelivery(deps: DeliveryDeps): AsyncDisposable {
  let stopping = false;
  const bell = createBell();
  let rings = 0;
  const ring = () => {
    rings += 1;
    bell.ring();
  };
  const ringAfter = (ms: number) => void setTimeout(ring, ms).unref();
  const off = deps.wake.on(deps.channel, ring);
  const sweep = setInterval(ring, sweepMs);
  const lane = async () => {
    while (!stopping) {
      await bell.rung();
      const before = rings;
      const delivered = await deliverOne(deps, { taken: ring, ringAfter }).catch((error) => {
        if (!stopping) deps.log.warn({ err: error }, "deliveries wait for the database");
        return false;
      });
      // What was there beside it, or came meanwhile, may have had to wait for it.
      if (delivered && rings !== before) ring();
    }
  };
  const running = Array.from({ length: lanes }, lane);
  return {
    async [Symbol.asyncDispose]() {
      stopping = true;
      off();
      clearInterval(sweep);
      bell.release();
      await Promise.all(running);
    },
  };
}

/**
 * Wakes one who waits, not all: whoever finds a delivery and sees another wakes the next. So one event costs one look, as does a
 * sweep of nothing.
 */
function createBell() {
  const waiting: (() => void)[] = [];
  let isRung = true;
  let isOver = false;
  return {
    ring(): void {
      const next = waiting.shift();
      if (next) next();
      else isRung = true;
    },
    async rung(): Promise<void> {
      if (!isRung && !isOver) await new Promise<void>((resolve) => waiting.push(resolve));
      else isRung = false;
    },
    /** Wakes all, for ever. */
    release(): void {
      isOver = true;
      for (const wake of waiting.splice(0)) wake();
    },
  };
}

interface Bells {
  /** There is another delivery beside this one. */
  taken(): void;
  ringAfter(ms: number): void;
}

/** Delivers one due event. Answers false when none is due. */
async function deliverOne({ db, log, reactions }: DeliveryDeps, { taken: ring, ringAfter }: Bells): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const taken = await takeDelivery(tx);
    if (!taken) return false;
    if (taken.more) ring();
    const target = reactions.find((each) => each.subscriber === taken.subscriber && each.on === taken.name);
    try {
      await sql`savepoint reaction`.execute(tx);
      await target?.react(tx, taken as unknown as Event);
      await removeDelivery(tx, taken);
    } catch (error) {
      await sql`rollback to savepoint reaction`.execute(tx);
      const waits = error instanceof NotYet;
      if (!waits)
        log.error(
          { err: error, event: taken.name, subscriber: taken.subscriber, attempts: taken.attempts + 1 },
          "a reaction failed",
        );
      const longest = waits ? longestWaitSeconds : longestBackoffSeconds;
      const seconds = Math.min(longest, 0.05 * 2 ** Math.min(taken.attempts, 20));
      await postpone(tx, taken, { error: String(error), seconds });
      ringAfter(seconds * 1000 + 5);
    }
    return true;
  });
}

const [lookMs, patienceMs] = [10, 5_000];

/**
 * Until each subscriber has heard once what was emitted of the subject, or five seconds have passed: so who caused it finds what
 * became of it. One that failed is not waited for, nor is a database that does not answer: what was emitted is heard later.
 */
export async function untilHeard(db: Database, subject: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const due = sql`select from deliveries where subject = ${subject} and attempts = 0 limit 1`;
    const isDue = await due.execute(db).then(
      ({ rows }) => rows.length > 0,
      () => false,
    );
    if (!isDue) return;
    await sleep(lookMs);
  }
}

interface Taken {
  id: number;
  subscriber: string;
  name: string;
  subject: string;
  payload: unknown;
  at: Date;
  attempts: number;
  /** There is another due. */
  more: boolean;
}

/** The oldest due delivery that no earlier one of the same subscriber and subject stands before. */
async function takeDelivery(tx: Tx): Promise<Taken | undefined> {
  const { rows } = await sql<Taken>`
    select e.id, d.subscriber, e.name, d.subject, e.payload, e.at, d.attempts,
      exists (select 1 from deliveries other where other.next_at <= now()
        and (other.event_id, other.subscriber) <> (d.event_id, d.subscriber)) as more
    from deliveries d join events e on e.id = d.event_id
    where d.next_at <= now() and not exists (
      select 1 from deliveries earlier
      where earlier.subscriber = d.subscriber and earlier.subject = d.subject and earlier.event_id < d.event_id)
    order by d.event_id limit 1
    for update of d skip locked`.execute(tx);
  return rows[0];
}

async function removeDelivery(tx: Tx, { subscriber, id }: Taken): Promise<void> {
  await sql`delete from deliveries where subscriber = ${subscriber} and event_id = ${id}`.execute(tx);
}

async function postpone(
  tx: Tx,
  { subscriber, id }: Taken,
  { error, seconds }: { error: string; seconds: number },
): Promise<void> {
  await sql`
    update deliveries set attempts = attempts + 1, next_at = now() + make_interval(secs => ${seconds}), last_error = ${error.slice(0, 2000)}
    where subscriber = ${subscriber} and event_id = ${id}`.execute(tx);
}
