/** The store of examples/swap-the-store keeps the whole contract, checked as its user would. */
import { test } from 'node:test';
import { testLogStore } from 'holdfast/conformance';
import { createStore } from '../../examples/swap-the-store/journal-log-store.ts';

const module = new URL('../../examples/swap-the-store/journal-log-store.js', import.meta.url);
testLogStore({ test, create: createStore, module });
