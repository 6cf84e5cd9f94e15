import { sql } from "kysely";
import type { Address, RouteMode, SlotState } from "#drivers/balancer/contract.ts";
import type { Database } from "#kernel/database.ts";

export interface Place {
  service: string;
  environment: string;
}

/** All of a service, or all of an environment. */
export type RoutesOf = { service: string } | { environment: string };

export interface PoolRow {
  id: string;
  environment: string;
  service: string | null;
  number: number;
  health_path: string | null;
  slots: number;
}

export interface SlotRow {
  pool: string;
  position: number;
  instance: string;
  host: string;
  port: number;
  state: SlotState;
  weight: number;
}

export interface RouteRow extends Place {
  internal_port: number;
  pool: string;
  mode: RouteMode;
  /** When it opens again; null while it is open. */
  mode_until: Date | null;
}

type RoutingTables = {
  routes: RouteRow;
  route_hosts: { host: string; service: string; environment: string };
  pools: PoolRow;
  slots: SlotRow;
};

export function routingStore(database: Database) {
  return { ...routeStore(database), ...slotStore(database) };
}

/** Unlike `in`, this takes an empty list too. */
const anyOf = <T>(values: readonly T[]) => sql<T>`any(${[...values]})`;

function routeStore(database: Database) {
  const db = database.withTables<RoutingTables>();
  return {
    /** Held until the transaction ends: routes and pools are changed one after the other. */
    lock: () => sql`select pg_advisory_xact_lock(hashtextextended('routing', 0))`.execute(db),
    routes: () => db.selectFrom("routes").selectAll().orderBy("service").orderBy("environment").execute(),
    route: ({ service, environment }: Place) =>
      db
        .selectFrom("routes")
        .selectAll()
        .where("service", "=", service)
        .where("environment", "=", environment)
        .executeTakeFirst(),
    freePort: async (ports: { from: number; to: number }) => {
      const { rows } = await sql<{ port: number }>`
        select port from generate_series(${ports.from}::int, ${ports.to}::int) port
        where port not in (select internal_port from routes) order by port limit 1`.execute(db);
      return rows[0]?.port;
    },
    insertRoute: ({ service, environment }: Place, more: { internal_port: number; pool: string }) =>
      db
        .insertInto("routes")
        .values({ service, environment, ...more, mode: "open", mode_until: null })
        .execute(),
    setPrimary: ({ service, environment }: Place, pool: string) =>
      db
        .updateTable("routes")
        .set({ pool })
        .where("service", "=", service)
        .where("environment", "=", environment)
        .execute(),
    setMode: ({ service, environment }: Place, mode: Pick<RouteRow, "mode" | "mode_until">) =>
      db
        .updateTable("routes")
        .set(mode)
        .where("service", "=", service)
        .where("environment", "=", environment)
        .returningAll()
        .executeTakeFirst(),
    /** Opens all routes whose time is over. */
    openExpired: (now: Date) =>
      db
        .updateTable("routes")
        .set({ mode: "open", mode_until: null })
        .where("mode_until", "<=", now)
        .returning(["service", "environment"])
        .execute(),
    hosts: () => db.selectFrom("route_hosts").selectAll().orderBy("host").execute(),
    hostsAmong: (hosts: readonly string[]) =>
      db.selectFrom("route_hosts").selectAll().where("host", "=", anyOf(hosts)).execute(),
    async setHosts({ service, environment }: Place, hosts: readonly string[]) {
      await db
        .deleteFrom("route_hosts")
        .where("service", "=", service)
        .where("environment", "=", environment)
        .where("host", "!=", sql<string>`all(${[...hosts]})`)
        .execute();
      await db
        .insertInto("route_hosts")
        .values(hosts.map((host) => ({ host, service, environment })))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
  };
}

function slotStore(database: Database) {
  const db = database.withTables<RoutingTables>();
  return {
    pools: () => db.selectFrom("pools").selectAll().orderBy("id").execute(),
    poolsOf: ({ service, environment }: Place) =>
      db
        .selectFrom("pools")
        .selectAll()
        .where("service", "=", service)
        .where("environment", "=", environment)
        .orderBy("number")
        .execute(),
    insertPool: (row: PoolRow) =>
      db
        .insertInto("pools")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    setPool: (id: string, change: Partial<Pick<PoolRow, "health_path" | "slots">>) =>
      db.updateTable("pools").set(change).where("id", "=", id).execute(),
    /** Pools of routes that have no instance and get no traffic. */
    deleteIdlePools: () =>
      sql`delete from pools p where p.service is not null
        and not exists (select 1 from slots s where s.pool = p.id)
        and not exists (select 1 from routes r where r.pool = p.id)`.execute(db),
    async deleteRoutes(of: RoutesOf) {
      const [column, name] =
        "service" in of ? (["service", of.service] as const) : (["environment", of.environment] as const);
      const pools = db.selectFrom("pools").select("id").where(column, "=", name);
      await db.deleteFrom("slots").where("pool", "in", pools).execute();
      for (const table of ["route_hosts", "routes", "pools"] as const)
        await db.deleteFrom(table).where(column, "=", name).execute();
    },
    slots: () => db.selectFrom("slots").selectAll().orderBy("pool").orderBy("position").execute(),
    slotsOf: (pools: readonly string[]) =>
      db.selectFrom("slots").selectAll().where("pool", "=", anyOf(pools)).execute(),
    slotsOfInstances: (instances: readonly string[]) =>
      db.selectFrom("slots").selectAll().where("instance", "=", anyOf(instances)).execute(),
    insertSlot: (row: SlotRow) => db.insertInto("slots").values(row).execute(),
    setAddress: (instance: string, { host, port }: Address) =>
      db.updateTable("slots").set({ host, port }).where("instance", "=", instance).execute(),
    open: (instance: string, weight: number) =>
      db.updateTable("slots").set({ state: "ready", weight }).where("instance", "=", instance).execute(),
    setState: (instances: readonly string[], state: SlotState) =>
      db.updateTable("slots").set({ state }).where("instance", "=", anyOf(instances)).execute(),
    deleteSlots: (instances: readonly string[]) =>
      db.deleteFrom("slots").where("instance", "=", anyOf(instances)).execute(),
  };
}

export type RoutingStore = ReturnType<typeof routingStore>;
