import type { Role } from "#api/endpoint.ts";
import { orThrow } from "#api/errors.ts";
import { type Client, createClient } from "#client/client.ts";
import type { Platform } from "#testing/platform.ts";

export interface Person {
  name: string;
  token: string;
  client: Client;
}

/** A user with a token. */
export async function newPerson({ client, url }: Platform, name: string, role: Role): Promise<Person> {
  orThrow(await client.createUser({ body: { name, role } }));
  const { secret } = orThrow(await client.createToken({ body: { name: "test", user: name } }));
  return { name, token: secret, client: createClient({ url, token: secret }) };
}
