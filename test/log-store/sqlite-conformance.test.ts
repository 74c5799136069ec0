import { test } from 'node:test';
import { testLogStore } from '../../src/log-store/conformance/index.ts';
import { createSqlite, module } from './stores.ts';

testLogStore({ test, create: createSqlite, module, exportName: 'createSqlite' });
