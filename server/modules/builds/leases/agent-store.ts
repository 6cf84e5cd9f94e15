/** What people see of agents, read at one time. */
import { sql } from "kysely";
import type { Database } from "#kernel/database.ts";
import type { Standing } from "../core/agents.ts";

const mostAgents = 500;
const mostLeases = 2_000;
const mostKinds = 200;

/** All agents by name, of too many those heard of last; what they hold, and what could begin. */
export async function readStanding(db: Database): Promise<Standing> {
  const read = async <Row>(query: ReturnType<typeof sql<Row>>) => (await query.execute(db)).rows;
  const agents = await read(
    sql<Standing["agents"][number]>`select name, tags, last_seen from build_agents
      order by last_seen desc, name limit ${mostAgents}`,
  );
  const leases = await read(
    sql<Standing["leases"][number]>`select j.agent, j.tags, j.build, b.repository, b.number, j.step
      from build_jobs j join builds b on b.id = j.build
      where j.lease_until is not null and j.agent is not null
      order by b.sequence, j.position limit ${mostLeases}`,
  );
  const waiting = await read(
    sql<Standing["waiting"][number]>`select tags, count(*)::int jobs from build_jobs where state = 'runnable'
      group by tags order by count(*) desc limit ${mostKinds}`,
  );
  return { agents: agents.toSorted((a, b) => (a.name < b.name ? -1 : 1)), leases, waiting };
}
