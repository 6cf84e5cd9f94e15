import pg from "pg";

/** As often a connection plans a statement anew; psycopg and JDBC have the same number. */
const askedBefore = 5;
/** A plan takes some ten kilobytes of the server's memory, on each connection. */
const mostKept = 100;
const mostCounted = 1_000;

/**
 * A connection on which the server keeps the plans of what is asked often: half of the work of a small statement is to read and
 * plan it. https://www.postgresql.org/docs/current/sql-prepare.html says when a kept plan is one for all values.
 */
export class PreparingClient extends pg.Client {
  readonly #names = new Map<string, string>();
  readonly #asked = new Map<string, number>();

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size === mostKept) return known;
    const times = (this.#asked.get(text) ?? 0) + 1;
    if (this.#asked.size === mostCounted) this.#asked.clear();
    this.#asked.set(text, times);
    if (times > askedBefore) this.#names.set(text, `often_${this.#names.size + 1}`);
    return this.#names.get(text);
  }

  /** Of the dozen overloads the one with values beside its text is meant; the others are handed on as they are given. */
  override query(...given: never[]): never {
    const [text, values, ...rest]: unknown[] = given;
    const name =
      typeof text === "string" && Array.isArray(values) && values.length > 0 ? this.#nameOf(text) : undefined;
    const asked = name === undefined ? given : [{ name, text, values }, ...rest];
    return (super.query as (...all: unknown[]) => never).apply(this, asked);
  }
}
