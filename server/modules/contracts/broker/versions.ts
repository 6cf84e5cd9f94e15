import { z } from "zod";
import type { Database } from "#kernel/database.ts";
import type { VersionRow } from "../pacticipant-store.ts";
import { placeVersion } from "../publish.ts";
import { type ContractStore, contractStore } from "../store.ts";
import { bodyOf, text } from "./body.ts";
import {
  type Answer,
  type Call,
  created,
  gone,
  manages,
  mustOwn,
  notFound,
  ok,
  publishes,
  reads,
  type Row,
} from "./call.ts";
import type { Links } from "./links.ts";

const given = z.object({ buildUrl: text.nullish() });

export function versionRows(store: ContractStore, db: Database): Row[] {
  const { pacticipants } = store;

  const show = async (
    { links }: Call,
    pacticipant: string,
    row: VersionRow | undefined,
    what: string,
  ): Promise<Answer> => (row ? ok(await resource(store, { pacticipant, row, links })) : notFound(what));

  const one = async (call: Call): Promise<Answer> => {
    const { pacticipant = "", version = "" } = call.params;
    return show(
      call,
      pacticipant,
      await pacticipants.version({ pacticipant, number: version }),
      `Version ${version} of ${pacticipant}`,
    );
  };

  const latest = async (call: Call): Promise<Answer> => {
    const { pacticipant = "", tag, branch } = call.params;
    const label = { ...(tag === undefined ? {} : { tag }), ...(branch === undefined ? {} : { branch }) };
    return show(call, pacticipant, await pacticipants.latest(pacticipant, label), `Any such version of ${pacticipant}`);
  };

  /** Makes the version where there was none, with what the path says of it. */
  async function put(call: Call): Promise<Answer> {
    const { pacticipant = "", version = "", tag, branch } = call.params;
    const { buildUrl } = bodyOf(call, given);
    mustOwn(call, pacticipant);
    const before = await pacticipants.version({ pacticipant, number: version });
    await db.transaction().execute(async (tx) => {
      const id = await contractStore(tx).pacticipants.ensure(pacticipant);
      const labels = { tags: tag === undefined ? [] : [tag], ...(branch === undefined ? {} : { branch }) };
      await placeVersion(tx, { id, number: version, ...labels, ...(buildUrl ? { buildUrl } : {}) });
    });
    const known =
      tag === undefined ? branch === undefined || before?.branches.includes(branch) : before?.tags.includes(tag);
    const status = before && known ? 200 : 201;
    if (tag === undefined && branch === undefined) return { ...(await one(call)), status };
    const body = {
      ...(tag === undefined ? { number: version } : { name: tag }),
      _links: { self: { href: call.self } },
    };
    return status === 200 ? ok(body) : created(body, call.self);
  }

  return [
    { path: "/pacticipants/:pacticipant/versions", methods: { GET: reads((call) => listVersions(store, call)) } },
    {
      path: "/pacticipants/:pacticipant/versions/:version",
      methods: {
        ...{ GET: reads(one), PUT: publishes(put), PATCH: publishes(put) },
        DELETE: manages((call) => removeVersion(store, call)),
      },
    },
    { path: "/pacticipants/:pacticipant/latest-version", methods: { GET: reads(latest) } },
    { path: "/pacticipants/:pacticipant/latest-version/:tag", methods: { GET: reads(latest) } },
    { path: "/pacticipants/:pacticipant/branches/:branch/latest-version", methods: { GET: reads(latest) } },
    tagRow(store, put),
    ...branchRows(store, put),
  ];
}

async function removeVersion({ pacticipants }: ContractStore, { params }: Call): Promise<Answer> {
  const { pacticipant = "", version = "" } = params;
  const was = await pacticipants.removeVersion({ pacticipant, number: version });
  return was ? gone : notFound(`Version ${version} of ${pacticipant}`);
}

async function listVersions({ pacticipants }: ContractStore, { links, self, params }: Call): Promise<Answer> {
  const { pacticipant = "" } = params;
  if (!(await pacticipants.byName(pacticipant))) return notFound(`The pacticipant ${pacticipant}`);
  const rows = await pacticipants.versions(pacticipant);
  return ok({
    _embedded: {
      versions: rows.map(({ number }) => ({ number, _links: { self: links.version(pacticipant, number) } })),
    },
    _links: { self: { href: self }, "pb:versions": rows.map(({ number }) => links.version(pacticipant, number)) },
  });
}

function tagRow({ pacticipants }: ContractStore, put: (call: Call) => Promise<Answer>): Row {
  return {
    path: "/pacticipants/:pacticipant/versions/:version/tags/:tag",
    methods: {
      GET: reads(async ({ self, params: { pacticipant = "", version = "", tag = "" } }) => {
        const row = await pacticipants.version({ pacticipant, number: version });
        return row?.tags.includes(tag)
          ? ok({ name: tag, _links: { self: { href: self } } })
          : notFound(`The tag ${tag}`);
      }),
      PUT: publishes(put),
      DELETE: publishes(async (call) => {
        const { pacticipant = "", version = "", tag = "" } = call.params;
        mustOwn(call, pacticipant);
        return (await pacticipants.removeTag({ pacticipant, number: version }, tag))
          ? gone
          : notFound(`The tag ${tag}`);
      }),
    },
  };
}

function branchRows({ pacticipants }: ContractStore, put: (call: Call) => Promise<Answer>): Row[] {
  const view = (links: Links, pacticipant: string, branch: string) => {
    const { href } = links.branch(pacticipant, branch);
    return {
      name: branch,
      _links: { self: links.branch(pacticipant, branch), "pb:latest-version": { href: `${href}/latest-version` } },
    };
  };
  return [
    {
      path: "/pacticipants/:pacticipant/branches",
      methods: {
        GET: reads(async ({ links, self, params: { pacticipant = "" } }) => {
          const rows = await pacticipants.branches(pacticipant);
          const branches = rows.map(({ branch }) => view(links, pacticipant, branch));
          return ok({ _embedded: { branches }, _links: { self: { href: self } } });
        }),
      },
    },
    {
      path: "/pacticipants/:pacticipant/branches/:branch",
      methods: {
        GET: reads(async ({ links, params: { pacticipant = "", branch = "" } }) => {
          const row = await pacticipants.latest(pacticipant, { branch });
          return row ? ok(view(links, pacticipant, branch)) : notFound(`The branch ${branch} of ${pacticipant}`);
        }),
        DELETE: manages(async ({ params: { pacticipant = "", branch = "" } }) =>
          (await pacticipants.removeBranch(pacticipant, branch))
            ? gone
            : notFound(`The branch ${branch} of ${pacticipant}`),
        ),
      },
    },
    {
      path: "/pacticipants/:pacticipant/branches/:branch/versions/:version",
      methods: {
        PUT: publishes(put),
        GET: reads(async ({ self, params: { pacticipant = "", branch = "", version = "" } }) => {
          const row = await pacticipants.version({ pacticipant, number: version });
          const there = row?.branches.includes(branch);
          return there
            ? ok({ number: version, _links: { self: { href: self } } })
            : notFound(`Version ${version} on branch ${branch}`);
        }),
      },
    },
  ];
}

interface Shown {
  pacticipant: string;
  row: VersionRow;
  links: Links;
}

async function resource({ environments, pacts }: ContractStore, { pacticipant, row, links }: Shown) {
  const { number } = row;
  const [places, published] = await Promise.all([environments.list(), pacts.pacts({ consumer: pacticipant, number })]);
  const { href } = links.version(pacticipant, number);
  const record = (kind: string) =>
    places.map(({ uuid, name, display_name }) => ({
      ...{ title: `Record ${kind} to ${display_name ?? name}`, name },
      href: `${href}/${kind}-versions/environment/${uuid}`,
    }));
  return {
    number,
    createdAt: row.created_at.toISOString(),
    ...(row.build_url === null ? {} : { buildUrl: row.build_url }),
    _embedded: {
      tags: row.tags.map((tag) => ({ name: tag, _links: { self: links.tag(pacticipant, number, tag) } })),
      branchVersions: row.branches.map((branch) => ({
        name: branch,
        _links: { self: { href: links.to("pacticipants", pacticipant, "branches", branch, "versions", number) } },
      })),
    },
    _links: {
      self: links.version(pacticipant, number),
      "pb:pacticipant": links.pacticipant(pacticipant),
      "pb:tag": { href: `${href}/tags/{tag}`, templated: true },
      "pb:pact-versions": published.map((each) => links.pact(each)),
      "pb:record-deployment": record("deployed"),
      "pb:record-release": record("released"),
    },
  };
}
