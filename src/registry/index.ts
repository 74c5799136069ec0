export * from './codec/index.ts';
export { defaultLimits, resolveLimits } from './limits.ts';
export * from './types.ts';
