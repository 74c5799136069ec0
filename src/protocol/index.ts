export * from './channel.ts';
export * from './requests.ts';
