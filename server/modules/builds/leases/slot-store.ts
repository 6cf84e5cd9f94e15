/** Slots of concurrency groups. */
import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "#kernel/database.ts";

type Tables = { build_slots: SlotRow };

interface SlotRow {
  build: string;
  step: string;
  group_name: string;
  slot_limit: number;
  ordered: boolean;
  is_job: boolean;
  sequence: number;
  position: number;
  held: boolean;
}

/** What is told to who waits. */
export interface SlotPlace extends SlotRow {
  repository: string;
  number: number;
}

/** Slots that are shown in one answer at most. */
const mostShown = 1000;

/** Whether the waiting row `s` of the build `b` may hold its slot now: `core/slots.ts` in SQL. */
export const slotIsOpen: RawBuilder<boolean> = sql<boolean>`(
  (select count(*) from build_slots h
    where h.group_name = s.group_name and h.held and h.build <> all(b.ancestors)) < s.slot_limit
  and (not s.ordered
    or exists (select 1 from build_slots a where a.group_name = s.group_name and a.held and a.build = any(b.ancestors))
    or not exists (select 1 from build_slots w where w.group_name = s.group_name and not w.held
      and (w.sequence, w.position) < (s.sequence, s.position))))`;

export function slotStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    /** Only who has it may give out slots of the group; never waited for, as the caller holds the lock of a build. */
    tryLockGroup: async (group: string): Promise<boolean> => {
      const { rows } = await sql<{ locked: boolean }>`
        select pg_try_advisory_xact_lock(hashtextextended(${`slots:${group}`}, 0)) locked`.execute(db);
      return rows[0]?.locked ?? false;
    },
    /** Gives the waiting step its slot; false when it may not have one now. Under the group's lock. */
    takeSlot: async ({ build, step }: Pick<SlotRow, "build" | "step">): Promise<boolean> => {
      const { rows } = await sql`
        update build_slots s set held = true from builds b
        where s.build = ${build} and s.step = ${step} and not s.held and b.id = s.build and ${slotIsOpen}
        returning 1`.execute(db);
      return rows.length > 0;
    },
    putSlot: (slot: SlotRow) =>
      db
        .insertInto("build_slots")
        .values(slot)
        .onConflict((conflict) => conflict.columns(["build", "step"]).doUpdateSet({ held: slot.held }))
        .execute(),
    /** Answers whether there was one. */
    removeSlot: async (build: string, step: string): Promise<boolean> => {
      const removal = db.deleteFrom("build_slots").where("build", "=", build).where("step", "=", step);
      return (await removal.executeTakeFirst()).numDeletedRows > 0n;
    },
    /** Builds with a step that the server has to ask for, in the order of the group. */
    waitingRequests: (group: string): Promise<{ build: string }[]> =>
      db
        .selectFrom("build_slots")
        .select("build")
        .where("group_name", "=", group)
        .where("held", "=", false)
        .where("is_job", "=", false)
        .orderBy("sequence")
        .orderBy("position")
        .limit(100)
        .execute(),
    places: () => places(db),
  };
}

/** All slots that are held, and of each group the step that comes next. */
async function places(db: Kysely<Tables>): Promise<SlotPlace[]> {
  const { rows } = await sql<SlotPlace>`
    select s.*, b.repository, b.number from build_slots s join builds b on b.id = s.build
    where s.held or not exists (select 1 from build_slots w where w.group_name = s.group_name and not w.held
      and (w.sequence, w.position) < (s.sequence, s.position))
    order by s.group_name, s.sequence, s.position limit ${mostShown}`.execute(db);
  return rows;
}
