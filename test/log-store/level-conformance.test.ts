import { test } from 'node:test';
import { testLogStore } from '../../src/log-store/conformance/index.ts';
import { createLevel, module } from './stores.ts';

testLogStore({ test, create: createLevel, module, exportName: 'createLevel' });
