import pg from "pg";

/** Name of the migrated database that each test file's own is copied from. */
export const template = "towline_template";

export async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
