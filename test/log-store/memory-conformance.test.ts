import { test } from 'node:test';
import { testLogStore } from '../../src/log-store/conformance/index.ts';
import { createMemory } from './stores.ts';

testLogStore({ test, create: createMemory, durable: false });
