export * from './contract.ts';
export { defaultSettings } from './defaults.ts';
export { createNode } from './node.ts';
export { plantSeed, type Seed } from './seed.ts';
export * from './state-machine.ts';
export { systemEnvironment } from './system-environment.ts';
