/** Planted bugs in a file of one's own: a JSON array of mutants. */
import { z } from 'zod';
import { plainRules } from '../../src/protocol/index.ts';
import type { Mutant } from './mutant.ts';

/** A file that is not what it should be: the first rule that it breaks. */
export class MutantFileError extends Error {
  override readonly name = 'MutantFileError';
}

const edit = { file: z.string().min(1), text: z.string().min(1), replacement: z.string() };

const mutant: z.ZodType<Mutant> = z.strictObject({
  id: z.string().min(1),
  breaks: z.string().min(1),
  ...edit,
  also: z.array(z.strictObject(edit)).exactOptional(),
  workload: z.string().exactOptional(),
  nodes: z.int().min(1).max(9).exactOptional(),
  noticedBy: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('situation'), name: z.string().min(1) }),
      z.strictObject({ type: z.literal('tests'), files: z.array(z.string().min(1)).min(1) }),
    ])
    .exactOptional(),
});

/** @throws MutantFileError */
export function parseMutants(text: string): readonly Mutant[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MutantFileError(error instanceof Error ? error.message : String(error));
  }
  const parsed = z.array(mutant).min(1).safeParse(value, plainRules);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new MutantFileError(`${path.join('.') || 'the file'}: ${message}`);
  }
  const ids = parsed.data.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice !== undefined) throw new MutantFileError(`two mutants have the id ${twice}`);
  return parsed.data;
}
