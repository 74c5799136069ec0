export * from './contract.ts';
export * from './state-machine.ts';
