/** The schema as text, so that a migration is reviewed by its result. */
import type pg from "pg";

interface Column {
  table: string;
  name: string;
  type: string;
  nullable: boolean;
  fallback: string | null;
}

const columnsQuery = `
  select c.table_name as table, c.column_name as name, format_type(a.atttypid, a.atttypmod) as type,
    c.is_nullable = 'YES' as nullable, c.column_default as fallback
  from information_schema.columns c
  join pg_attribute a on a.attrelid = ('public.' || quote_ident(c.table_name))::regclass and a.attname = c.column_name
  where c.table_schema = 'public' order by c.table_name, c.ordinal_position`;

const constraintsQuery = `
  select r.relname as table, pg_get_constraintdef(k.oid) as text
  from pg_constraint k join pg_class r on r.oid = k.conrelid join pg_namespace n on n.oid = r.relnamespace
  where n.nspname = 'public' and k.contype in ('p', 'u', 'f', 'c') order by r.relname, k.contype, text`;

const indexesQuery = `
  select i.indexdef as text from pg_indexes i
  where i.schemaname = 'public' and not exists (select 1 from pg_constraint k where k.conname = i.indexname)
  order by i.tablename, i.indexdef`;

/** Tables, constraints and indexes of the schema `public` as SQL in a fixed order. */
export async function describeSchema(pool: pg.Pool): Promise<string> {
  const columns = (await pool.query<Column>(columnsQuery)).rows;
  const constraints = (await pool.query<{ table: string; text: string }>(constraintsQuery)).rows;
  const indexes = (await pool.query<{ text: string }>(indexesQuery)).rows;
  const tables = [...Map.groupBy(columns, ({ table }) => table)].map(([table, own]) => {
    const lines = [
      ...own.map(columnLine),
      ...constraints.filter((each) => each.table === table).map(({ text }) => `  ${text}`),
    ];
    return `create table ${table} (\n${lines.join(",\n")}\n);`;
  });
  return `${[...tables, ...indexes.map(({ text }) => `${text};`)].join("\n\n")}\n`;
}

function columnLine({ name, type, nullable, fallback }: Column): string {
  return `  ${name} ${type}${nullable ? "" : " not null"}${fallback ? ` default ${fallback}` : ""}`;
}
