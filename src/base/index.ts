export type { Brand } from './brand.ts';
export * from './bytes.ts';
export * from './errors.ts';
export * from './options.ts';
export * from './unreachable.ts';
