/** Worlds of tests, told as what happened, in its order. */
import type { Integration, Publication, Verification, Version, World } from "./world.ts";

interface More {
  tags?: string[];
  branch?: string;
  /** Environments in which it is now. */
  in?: string[];
  /** Environments to which it is released. */
  releasedTo?: string[];
}

export class TestWorld implements World {
  readonly pacticipants = new Map<string, { mainBranch: string | null }>();
  readonly versions: (Version & { tags: string[]; branches: string[]; deployed: string[]; released: string[] })[] = [];
  readonly publications: Publication[] = [];
  readonly verifications: Verification[] = [];
  #id = 0;

  get integrations(): Integration[] {
    return this.publications.map(({ consumer, provider }) => ({ consumer, provider }));
  }

  pacticipant(name: string, mainBranch: string | null = null): this {
    this.pacticipants.set(name, { mainBranch: mainBranch ?? this.pacticipants.get(name)?.mainBranch ?? null });
    return this;
  }

  version(pacticipant: string, number: string, more: More = {}): this {
    this.#version(pacticipant, number, more);
    return this;
  }

  /** Where no content is named, it is one that no other version has. */
  pact(consumer: string, number: string, provider: string, content = `${consumer} ${number} ${provider}`): this {
    const version = this.#version(consumer, number).id;
    this.pacticipant(provider);
    const createdAt = new Date(++this.#id * 1000).toISOString();
    this.publications.push({ id: this.#id, version, consumer, provider, content, sha: content, createdAt });
    return this;
  }

  /** `Foo 1 Bar`: a version of Bar verified what version 1 of Foo publishes for it. */
  result(pact: string, by: string, more: More & { fails?: true; wip?: true } = {}): this {
    const [consumer = "", number = "", provider = ""] = pact.split(" ");
    const consumerId = this.#version(consumer, number).id;
    const found = this.publications.find((each) => each.version === consumerId && each.provider === provider);
    if (!found) throw new Error(`${consumer} ${number} has no pact with ${provider}`);
    const { content } = found;
    const version = this.#version(provider, by, more).id;
    const earlier = this.verifications.filter((each) => each.content === content).length;
    const createdAt = new Date(++this.#id * 1000).toISOString();
    const common = { id: this.#id, content, number: earlier + 1, version, wip: more.wip ?? false, createdAt };
    this.verifications.push({ ...common, success: !more.fails });
    return this;
  }

  #version(pacticipant: string, number: string, more: More = {}) {
    this.pacticipant(pacticipant);
    let found = this.versions.find((each) => each.pacticipant === pacticipant && each.number === number);
    if (!found) {
      const createdAt = new Date(++this.#id * 1000).toISOString();
      found = { id: this.#id, pacticipant, number, createdAt, branches: [], tags: [], deployed: [], released: [] };
      this.versions.push(found);
    }
    found.tags.push(...(more.tags ?? []));
    if (more.branch !== undefined) found.branches.push(more.branch);
    found.deployed.push(...(more.in ?? []));
    found.released.push(...(more.releasedTo ?? []));
    return found;
  }
}
