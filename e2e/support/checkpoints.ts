/**
 * Every committed change of the platform's state, told at the moment of its commit: the places at which a crash can matter. Made
 * by triggers that the test puts into the platform's own database, so no code of the product knows of it.
 */
import pg from "pg";
import { runningPostgresUrl } from "#kernel/embedded-postgres.ts";

const install = `
create or replace function tell_checkpoint() returns trigger language plpgsql as $$
declare
  changed jsonb := to_jsonb(new);
begin
  perform pg_notify('checkpoint', concat_ws(' ', pg_current_xact_id(), tg_table_name,
    case when tg_table_name = 'events' then changed ->> 'name' end, changed ->> 'kind', changed ->> 'state', changed ->> 'phase'));
  return null;
end $$;
create or replace trigger checkpoint after insert on events for each row execute function tell_checkpoint();
create or replace trigger checkpoint after insert or update on build_jobs for each row execute function tell_checkpoint();
create or replace trigger checkpoint after insert or update on builds for each row execute function tell_checkpoint();
create or replace trigger checkpoint after insert or update on deployments for each row execute function tell_checkpoint();
create or replace trigger checkpoint after insert or update on slots for each row execute function tell_checkpoint();
`;

export interface Checkpoints extends AsyncDisposable {
  /** Connects again after PostgreSQL was killed. */
  reconnect(): Promise<void>;
}

/** Calls back with the name of each checkpoint and the transaction that made it, in order of commit. */
export async function listenToCheckpoints(
  home: string,
  onCheckpoint: (name: string, transaction: string) => void,
): Promise<Checkpoints> {
  let client: pg.Client | undefined;
  const connect = async () => {
    const next = new pg.Client({ connectionString: await runningPostgresUrl(home) });
    next.on("error", () => {});
    next.on("notification", ({ payload = "" }) => {
      const [transaction = "", ...words] = payload.split(" ");
      onCheckpoint(words.join(" "), transaction);
    });
    await next.connect();
    await next.query(install);
    await next.query("listen checkpoint");
    client = next;
  };
  await connect();
  return {
    async reconnect() {
      await client?.end().catch(() => {});
      await connect();
    },
    [Symbol.asyncDispose]: async () => void (await client?.end().catch(() => {})),
  };
}
