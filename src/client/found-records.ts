/** Results and answers about one key, as the records that users see. */
import type { ByteString, RegistryQuery, Revision } from '../registry/index.ts';
import { edgeView, writtenView } from './edge.ts';
import { answerOf, resultOf, type Applied, type QueryAnswer } from './proposals.ts';
import type { RegistryRecord } from './registry.ts';

/** Asks for one key as it is, or as it was at a revision above 0. */
export function getQuery(key: ByteString, revision: number): RegistryQuery {
  if (revision === 0) return { type: 'get', key };
  const one = { start: key, end: `${key}\0`, limit: 1, keysOnly: false };
  return { type: 'range', ...one, revision: revision as Revision };
}

/** What the answer to `getQuery` says; undefined for a key that is not there. */
export function foundRecord(answer: QueryAnswer): RegistryRecord | undefined {
  if (answer.type === 'range') {
    const [first] = answer.views;
    return first === undefined ? undefined : edgeView(first, answer.time);
  }
  const { view, time } = answerOf(answer, 'get');
  return edgeView(view, time);
}

/** What a put was answered with. */
export function putRecord({ result }: Applied): RegistryRecord {
  return writtenView(resultOf(result, 'key').view);
}
