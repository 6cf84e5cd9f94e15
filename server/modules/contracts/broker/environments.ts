import { z } from "zod";
import { newId } from "#kernel/clock.ts";
import type { Database } from "#kernel/database.ts";
import type { EnvironmentRow, PlacementKind, PlacementRow } from "../environment-store.ts";
import { place } from "../place.ts";
import type { ContractStore } from "../store.ts";
import { bodyOf, isUuid, name, text } from "./body.ts";
import {
  type Answer,
  type Call,
  changes,
  created,
  fail,
  gone,
  manages,
  notFound,
  ok,
  reads,
  type Row,
} from "./call.ts";
import type { Links } from "./links.ts";

const contact = z.object({ name: text.min(1), details: z.record(z.string(), text).optional() });
const given = z
  .object({
    name: name.refine((value) => !/\s/.test(value), "cannot contain spaces"),
    displayName: text.nullish(),
    production: z.boolean(),
    contacts: z.array(contact).max(100).nullish(),
  })
  .transform(({ displayName, contacts, ...rest }) => ({
    ...rest,
    ...{ display_name: displayName ?? null, contacts: contacts ?? [] },
  }));
const deployment = z.object({ target: text.nullish(), applicationInstance: text.nullish() });

export function environmentRows(store: ContractStore, db: Database): Row[] {
  const { environments } = store;
  const find = async ({ params: { uuid = "" } }: Call) => (isUuid(uuid) ? environments.byUuid(uuid) : undefined);

  const show = async (call: Call): Promise<Answer> => {
    const row = await find(call);
    return row ? ok(resource(row, call.links)) : notFound("The environment");
  };

  const isTaken = (wanted: string) =>
    fail(400, { name: [`Another environment with name '${wanted}' already exists.`] });

  async function make(call: Call): Promise<Answer> {
    const wanted = bodyOf(call, given);
    const uuid = newId();
    const made = await environments.insert({ uuid, ...wanted });
    const row = made ? await environments.byUuid(uuid) : undefined;
    if (!row) return isTaken(wanted.name);
    return created(resource(row, call.links), call.links.environment(uuid).href);
  }

  async function put(call: Call): Promise<Answer> {
    const row = await find(call);
    if (!row) return notFound("The environment");
    const wanted = bodyOf(call, given);
    return (await environments.change({ uuid: row.uuid, ...wanted })) ? show(call) : isTaken(wanted.name);
  }

  const list = async ({ links, self }: Call): Promise<Answer> => {
    const rows = await environments.list();
    return ok({
      _embedded: { environments: rows.map((row) => resource(row, links)) },
      _links: {
        self: { href: self },
        "pb:environments": rows.map(({ uuid, name: each, display_name, production }) => ({
          ...{ ...links.environment(uuid, each), title: display_name ?? each, production },
        })),
      },
    });
  };

  return [
    { path: "/environments", methods: { GET: reads(list), POST: manages(make) } },
    {
      path: "/environments/:uuid",
      methods: {
        ...{ GET: reads(show), PUT: manages(put) },
        DELETE: manages(async (call) => {
          const row = await find(call);
          return row && (await environments.remove(row.uuid)) ? gone : notFound("The environment");
        }),
      },
    },
    ...(["deployed", "released"] as const).flatMap((kind) => placementRows(kind, { store, db })),
  ];
}

const words = {
  deployed: {
    now: "currently-deployed",
    flag: "currentlyDeployed",
    ended: "undeployedAt",
    embedded: "deployedVersions",
  },
  released: {
    now: "currently-supported",
    flag: "currentlySupported",
    ended: "supportEndedAt",
    embedded: "releasedVersions",
  },
} as const;

function placementRows(kind: PlacementKind, { store, db }: { store: ContractStore; db: Database }): Row[] {
  const { environments, pacticipants } = store;
  const { now, flag } = words[kind];

  async function record(call: Call): Promise<Answer> {
    const { pacticipant = "", version = "", uuid = "" } = call.params;
    const environment = isUuid(uuid) ? await environments.byUuid(uuid) : undefined;
    const [owner, row] = await Promise.all([
      pacticipants.byName(pacticipant),
      pacticipants.version({ pacticipant, number: version }),
    ]);
    if (!environment || !owner || !row)
      return notFound(environment ? `Version ${version} of ${pacticipant}` : "The environment");
    const { target, applicationInstance } = bodyOf(call, deployment);
    const instance = kind === "deployed" ? (applicationInstance ?? target ?? "") : "";
    const placed = await place(db, { kind, pacticipant: owner.id, version: row.id, environment: uuid, instance });
    const [made] = await environments.placements({ kind, uuid: placed.uuid, ended: true });
    if (!made) return notFound("The record");
    const body = placement(made, call.links);
    return placed.made ? created(body, body._links.self.href) : ok(body);
  }

  const list = async (call: Call): Promise<Answer> => {
    const { uuid, pacticipant: owner, version: number } = call.params;
    const query = new URLSearchParams(call.search);
    if (uuid === undefined || !isUuid(uuid) || !(await environments.byUuid(uuid))) return notFound("The environment");
    const named = owner ?? (query.get("pacticipant") || undefined);
    const wanted = number ?? (query.get("version") || undefined);
    const filter = {
      ...(named === undefined ? {} : { pacticipant: named }),
      ...(wanted === undefined ? {} : { number: wanted }),
    };
    const instance = query.get("applicationInstance") ?? query.get("target");
    const rows = await environments.placements({ kind, environment: uuid, ...filter });
    const fitting = rows.filter((row) => instance === null || row.instance === instance);
    const embedded = { [words[kind].embedded]: fitting.map((row) => placement(row, call.links)) };
    return ok({ _embedded: embedded, _links: { self: { href: call.self } } });
  };

  const one = async ({ params: { uuid = "" }, links }: Call): Promise<Answer> => {
    const [row] = isUuid(uuid) ? await environments.placements({ kind, uuid, ended: true }) : [];
    return row ? ok(placement(row, links)) : notFound("The record");
  };

  async function end(call: Call): Promise<Answer> {
    const { [flag]: current } = bodyOf(call, z.object({ [flag]: z.boolean().nullish() }));
    const { uuid = "" } = call.params;
    const [row] = isUuid(uuid) ? await environments.placements({ kind, uuid, ended: true }) : [];
    if (!row) return notFound("The record");
    if (current === true && row.ended_at !== null)
      return fail(400, { [flag]: ["has ended, and does not come back: record it again"] });
    if (current === false) await environments.end(uuid);
    return one(call);
  }

  return [
    {
      path: `/pacticipants/:pacticipant/versions/:version/${kind}-versions/environment/:uuid`,
      methods: { POST: changes(record), GET: reads(list) },
    },
    { path: `/environments/:uuid/${kind}-versions/${now}`, methods: { GET: reads(list) } },
    { path: `/${kind}-versions/:uuid`, methods: { GET: reads(one), PATCH: changes(end) } },
  ];
}

function placement(row: PlacementRow, links: Links) {
  const { flag, ended } = words[row.kind];
  const instance = row.instance === "" ? {} : { target: row.instance, applicationInstance: row.instance };
  return {
    uuid: row.uuid,
    [flag]: row.ended_at === null,
    ...(row.kind === "deployed" ? instance : {}),
    createdAt: row.created_at.toISOString(),
    ...(row.ended_at === null ? {} : { [ended]: row.ended_at.toISOString() }),
    _embedded: {
      pacticipant: { name: row.pacticipant, _links: { self: links.pacticipant(row.pacticipant) } },
      version: { number: row.number, _links: { self: links.version(row.pacticipant, row.number) } },
      environment: { uuid: row.environment, _links: { self: links.environment(row.environment) } },
    },
    _links: {
      self: { href: links.to(`${row.kind}-versions`, row.uuid) },
      "pb:version": links.version(row.pacticipant, row.number),
      "pb:environment": links.environment(row.environment),
    },
  };
}

function resource(row: EnvironmentRow, links: Links) {
  const { href } = links.environment(row.uuid);
  return {
    uuid: row.uuid,
    name: row.name,
    ...(row.display_name === null ? {} : { displayName: row.display_name }),
    production: row.production,
    ...(row.contacts.length === 0 ? {} : { contacts: row.contacts }),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    _links: {
      self: links.environment(row.uuid, row.name),
      "pb:currently-deployed-deployed-versions": { href: `${href}/deployed-versions/currently-deployed` },
      "pb:currently-supported-released-versions": { href: `${href}/released-versions/currently-supported` },
      "pb:environments": { href: links.to("environments") },
    },
  };
}
