import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { clock, layerLine, plainLine, startProgress, type ProgressMode } from '../../bin/progress.js';
import type { Digest, ProgressEvent } from '../../index.js';
import { Capture } from './support.js';

const event = {
  kind: 'layer',
  layer: `sha256:${'ab'.repeat(32)}` as Digest,
  index: 0,
  count: 12,
  state: 'running',
  done: 0,
  total: 2000,
} as const;

const story: readonly ProgressEvent[] = [
  { ...event, state: 'queued' },
  event,
  { ...event, done: 500 },
  { ...event, done: 1000 },
  { ...event, state: 'done', done: 2000 },
  { ...event, index: 1, state: 'exists' },
  { kind: 'phase', phase: 'sync', message: 'to the\ndisk' },
];

function watch(mode: ProgressMode, { terminal = false, quiet = false } = {}): string | undefined {
  const stream = new Capture();
  stream.isTTY = terminal;
  using progress = startProgress(mode, stream, quiet);
  if (progress.onProgress === undefined) return undefined;
  for (const each of story) progress.onProgress(each);
  progress[Symbol.dispose]();
  return stream.text;
}

t.test('nobody is told where nobody looks', async (t) => {
  t.equal(watch('auto'), undefined, 'in a pipe');
  t.equal(watch('none', { terminal: true }), undefined);
  t.equal(watch('auto', { terminal: true, quiet: true }), undefined);
  t.equal(watch('plain', { quiet: true }), undefined);
});

t.test('plain: what begins and ends, not every step', async (t) => {
  t.same(watch('plain')?.split('\n'), [
    'layer  1/12 abababababab: waits',
    'layer  1/12 abababababab: begins',
    'layer  1/12 abababababab: done, 2.0 kB',
    'layer  2/12 abababababab: is here already',
    'sync: to the\\x0adisk',
    '',
  ]);
});

t.test('json: the events themselves, one a line, steps thinned out', async (t) => {
  const lines = watch('json', { quiet: true })?.trimEnd().split('\n') ?? [];
  t.same(
    lines.map((line) => JSON.parse(line) as unknown),
    story.filter((each) => each.kind === 'phase' || each.state !== 'running' || each.done === 0),
  );
});

t.test('on a terminal: bars, which end as lines and leave the terminal as it was', async (t) => {
  const stream = new Capture();
  stream.isTTY = true;
  {
    using progress = startProgress('auto', stream, false);
    progress.onProgress?.({ ...event, done: 500 });
    await setTimeout(300);
    t.match(stream.text, /500 B\/2\.0 kB/, 'a bar is drawn');
    for (const each of story) progress.onProgress?.(each);
  }
  const written = stream.text;
  t.match(written, 'layer  1/12 abababababab: done, 2.0 kB\x1b[K\n');
  t.match(written, 'layer  2/12 abababababab: is here already\x1b[K\n');
  t.match(written, 'sync: to the\\x0adisk\x1b[K\n');
  t.notMatch(written, '\x1b[?', 'no mode is set that would have to be reset');
  await setTimeout(300);
  t.equal(stream.text, written, 'nothing is drawn after the end');
});

t.test('on a terminal without a layer to draw: plain lines', async (t) => {
  const stream = new Capture();
  stream.isTTY = true;
  using progress = startProgress('auto', stream, false);
  progress.onProgress?.({ ...event, state: 'exists' });
  t.equal(stream.text, 'layer  1/12 abababababab: is here already\n');
});

t.test('a line of a bar', async (t) => {
  const line = (done: number, total: number, elapsed: number, columns = 100): string =>
    layerLine('1/3 abababababab', done, total, elapsed, columns);
  t.equal(
    line(12_500_000, 25_000_000, 5),
    '1/3 abababababab [============>           ]  50%  12.5 MB/25.0 MB  2.5 MB/s  0:05',
  );
  t.match(line(0, 100, 0), '[>                       ]   0%  0 B/100 B  0 B/s  -:--');
  t.match(line(100, 100, 1), '[========================] 100%  100 B/100 B  100 B/s  0:00');
  t.match(line(0, 0, 0), '100%', 'an empty layer is done');
  t.match(line(200, 100, 1), '100%', 'never more than all');
  t.equal(
    line(12_500_000, 25_000_000, 5, 60),
    '1/3 abababababab  50%  12.5 MB/25.0 MB  2.5 MB/s  0:05',
    'no bar',
  );
  t.equal(line(12_500_000, 25_000_000, 5, 20).length, 20);
});

t.test('clock', async (t) => {
  for (const [seconds, text] of [
    [0, '0:00'],
    [0.2, '0:01'],
    [59.5, '1:00'],
    [247, '4:07'],
    [3723, '1:02:03'],
    [1e6, '-:--'],
    [Infinity, '-:--'],
    [NaN, '-:--'],
  ] as const) {
    t.equal(clock(seconds), text, String(seconds));
  }
});

t.test('a long layer tells where it is', async (t) => {
  t.equal(plainLine({ ...event, done: 500 }), 'layer  1/12 abababababab: 500 B of 2.0 kB');
});
