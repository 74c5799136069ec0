/** All keys of a prefix as of one revision, which is told. */
import type { ListPage, Registry, RegistryRecord } from '../../src/client/index.ts';

const PAGE = 100;

export async function recordsOf(
  registry: Registry,
  prefix: string,
): Promise<{ readonly records: readonly RegistryRecord[]; readonly revision: number }> {
  const records: RegistryRecord[] = [];
  let page: ListPage = await registry.list({ prefix, limit: PAGE });
  const { revision } = page;
  for (;;) {
    records.push(...page.records);
    const last = page.records.at(-1);
    if (!page.more || last === undefined) return { records, revision };
    page = await registry.list({ prefix, limit: PAGE, after: last.key, revision });
  }
}
