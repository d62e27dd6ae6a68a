/**
 * A program for tests of several processes: opens a store, calls one of its methods, prints what came of it as a line of
 * JSON, and stays until its standard input ends. Arguments: a Call as JSON. Progress events are lines too.
 */
import { LayerfsError, open } from '../../index.js';
import type { Call, Line } from './store-process.js';

const { root, driver, method, args } = JSON.parse(process.argv[2] ?? '') as Call;
const print = (line: Line): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const store = await open({ root, driver });
try {
  if (method === 'import') {
    const [source, name] = args as [string, string];
    const onProgress = (event: { kind: string; state?: string }): void =>
      print({ progress: `${event.kind} ${event.state ?? ''}` });
    print({ result: await store.import(source, name, { onProgress }) });
  } else if (method === 'mount') {
    print({ result: await store.mount(...(args as Parameters<typeof store.mount>)) });
  } else if (method === 'unmount') {
    print({ result: await store.unmount(...(args as Parameters<typeof store.unmount>)) });
  } else if (method === 'removeSnapshots') {
    await store.removeSnapshots(...(args as Parameters<typeof store.removeSnapshots>));
    print({ result: null });
  } else {
    print({ result: await store.mounts() });
  }
} catch (error) {
  if (!(error instanceof LayerfsError)) throw error;
  print({ code: error.code, message: error.message });
}
await store.close();
for await (const _ of process.stdin);
