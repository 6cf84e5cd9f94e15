import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { SourceTables } from "./store.ts";

export interface Check {
  repository: string;
  commit: string;
  build: string;
  number: number;
  outcome: "passed" | "failed" | "canceled";
  of_services: boolean;
}

interface Reviewed {
  repository: string;
  number: number;
}

type ServiceCheck = Omit<SourceTables["service_checks"], "at">;

/** What people and builds say about revisions. */
export function reviewStore(database: Database) {
  const db = database.withTables<SourceTables>();
  const end = (table: "approvals" | "change_requests", { repository, number }: Reviewed, user: string) =>
    db
      .deleteFrom(table)
      .where("repository", "=", repository)
      .where("number", "=", number)
      .where("user_name", "=", user)
      .returning("revision")
      .executeTakeFirst();
  return {
    approvals: (repository: string, numbers: number[]) =>
      db
        .selectFrom("approvals")
        .selectAll()
        .where("repository", "=", repository)
        .where("number", "in", numbers.length > 0 ? numbers : [0])
        .orderBy("at")
        .execute(),
    approve: (row: { repository: string; number: number; user_name: string; revision: string; at: Date }) =>
      db
        .insertInto("approvals")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "number", "user_name"])
            .doUpdateSet({ revision: row.revision, at: row.at })
            .where("approvals.revision", "!=", row.revision),
        )
        .returning("revision")
        .executeTakeFirst(),
    changeRequests: (repository: string, numbers: number[]) =>
      db
        .selectFrom("change_requests")
        .selectAll()
        .where("repository", "=", repository)
        .where("number", "in", numbers.length > 0 ? numbers : [0])
        .orderBy("at")
        .execute(),
    requestChanges: (row: SourceTables["change_requests"]) =>
      db
        .insertInto("change_requests")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "number", "user_name"])
            .doUpdateSet({ revision: row.revision, at: row.at })
            .where("change_requests.revision", "!=", row.revision),
        )
        .returning("revision")
        .executeTakeFirst(),
    endRequest: (of: Reviewed, user: string) => end("change_requests", of, user),
    endApproval: (of: Reviewed, user: string) => end("approvals", of, user),

    checks: (repository: string, commits: string[]) =>
      db
        .selectFrom("checks")
        .selectAll()
        .where("repository", "=", repository)
        .where("commit", "in", commits.length > 0 ? commits : [""])
        .execute(),
    /** Keeps the newest build's word; an older one that ends later changes nothing. */
    noteCheck: ({ repository, commit, ...end }: Check) =>
      db
        .insertInto("checks")
        .values({ repository, commit, ...end })
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "commit"])
            .doUpdateSet({ ...end, at: sql`now()` })
            .where("checks.number", "<=", end.number),
        )
        .execute(),

    serviceChecks: (repository: string, commits: string[]) =>
      db
        .selectFrom("service_checks")
        .selectAll()
        .where("repository", "=", repository)
        .where("commit", "in", commits.length > 0 ? commits : [""])
        .orderBy("service")
        .orderBy("folder")
        .execute(),
    /** How the build of a service ended; the newest one counts. */
    noteServiceCheck: (check: ServiceCheck) => {
      const { build, number, outcome, reason } = check;
      return db
        .insertInto("service_checks")
        .values(check)
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "commit", "folder"])
            .doUpdateSet({ build, number, outcome, reason, at: sql`now()` })
            .where("service_checks.number", "<=", number),
        )
        .execute();
    },
    /** What the build of the repository says of it beforehand: its name, and nothing about a build that has ended already. */
    announceServiceCheck: (check: ServiceCheck) => {
      const { service, build, number, outcome, reason } = check;
      const isNewer = <T>(then: T, column: string) =>
        sql<T>`case when service_checks.number < ${number} then ${then} else ${sql.ref(`service_checks.${column}`)} end`;
      return db
        .insertInto("service_checks")
        .values(check)
        .onConflict((conflict) =>
          conflict.columns(["repository", "commit", "folder"]).doUpdateSet({
            service,
            build: sql`case when service_checks.number < ${number} then ${build}::uuid else service_checks.build end`,
            outcome: isNewer(outcome, "outcome"),
            reason: isNewer(reason, "reason"),
            number: sql`greatest(service_checks.number, ${number})`,
          }),
        )
        .execute();
    },
  };
}
