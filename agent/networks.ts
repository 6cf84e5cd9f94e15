/** A network for each job: jobs do not see each other, and reach the outside. */
import { isIPv4 } from "node:net";
import type { Engine } from "#drivers/engine/engine.ts";
import { agentLabel, type AgentLabels, isMissing } from "./containers.ts";

const quick = { deadlineMs: 60_000 };

export async function createNetwork(engine: Engine, name: string, labels: AgentLabels): Promise<void> {
  const body = { Name: name, Driver: "bridge", CheckDuplicate: true, Labels: labels };
  await engine.json({ method: "POST", path: "/networks/create", body }, quick);
}

interface Inspected {
  IPAM?: { Config?: { Gateway?: string }[] | null };
}

/** This machine's own address in a network (IPv4), where it has one. */
export async function gatewayOf(engine: Engine, name: string): Promise<string | undefined> {
  const { IPAM } = await engine.json<Inspected>({ method: "GET", path: `/networks/${name}` }, quick);
  return IPAM?.Config?.map(({ Gateway = "" }) => Gateway).find(isIPv4);
}

/** One that is gone is no error. */
export async function removeNetwork(engine: Engine, name: string): Promise<void> {
  await engine.json({ method: "DELETE", path: `/networks/${name}` }, quick).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** Names of the networks of an agent's jobs. */
export async function networksOf(engine: Engine, agent: string): Promise<string[]> {
  const filters = JSON.stringify({ label: [`${agentLabel}=${agent}`] });
  const found = await engine.json<{ Name: string }[]>({ method: "GET", path: "/networks", query: { filters } }, quick);
  return found.map(({ Name }) => Name);
}
