import t from 'tap';
import { limits } from '../../../lib/limits.js';
import { end, header, join, longName, member, only, pax, read, record } from './support.js';

t.test('extended headers', async (t) => {
  const a = member({ name: 'a' }, 'data');
  t.equal(only(pax([['path', '']]), a).path, 'a', 'an empty path leaves the name');
  t.equal(only(member({ name: 'x', type: 'x' }), a).path, 'a', 'an empty PAX header');
  t.equal(
    only(pax([['path', 'x']]), member({ name: 'x', type: 'x' }), a).path,
    'a',
    'an empty one replaces, too',
  );
  t.equal(only(longName('gnu'), pax([['path', 'pax']]), a).path, 'gnu', 'L wins over PAX');
  t.equal(only(pax([['path', 'pax']]), longName('gnu'), a).path, 'gnu', 'L wins over PAX in either order');
  t.equal(only(longName('one'), longName('two'), a).path, 'two', 'the last of two L');
  t.equal(only(member({ name: 'L', type: 'L', magic: 'gnu' }), a).path, 'a', 'L of size 0 leaves the name');
  t.equal(only(longName(''), a).path, 'a', 'L of a NUL leaves the name');
  t.equal(only(longName('g'), a).path, 'g', 'L of one byte');
  t.equal(
    only(member({ name: 'L', type: 'L', magic: 'gnu' }, 'unterminated'), a).path,
    'unterminated',
    'L without a NUL',
  );
  t.equal(
    only(member({ name: 'L', type: 'L', magic: 'gnu' }, 'name\0junk'), a).path,
    'name',
    'L ends at its NUL',
  );
  t.equal(only(longName('target', 'K'), member({ name: 'a', type: '2', link: 't' })).linkPath, 'target', 'K');
  t.equal(
    only(pax([['linkpath', '']]), member({ name: 'a', type: '2', link: 't' })).linkPath,
    't',
    'an empty linkpath leaves the link',
  );
  const second = read(join([pax([['path', 'x']]), a, member({ name: 'b' }), end])).members[1];
  t.equal(second?.path, 'b', 'they hold for one member');
});

t.test('of two PAX headers before one member the later counts alone', async (t) => {
  const { members, warnings } = read(
    join([
      pax([
        ['path', 'one'],
        ['uid', '7'],
      ]),
      pax([['path', 'two']]),
      member({ name: 'a' }),
    ]),
  );
  t.match(members, [{ path: 'two', uid: 0 }]);
  t.match(warnings, [{ code: 'pax-replaced' }]);
});

t.test('global headers change no member', async (t) => {
  const global = pax(
    [
      ['path', 'evil'],
      ['uid', '7'],
      ['size', '1024'],
      ['comment', 'c'],
    ],
    'g',
  );
  const { members, warnings } = read(join([global, member({ name: 'a' }, 'abc'), member({ name: 'b' })]));
  t.match(members, [
    { path: 'a', uid: 0, data: 'abc' },
    { path: 'b', uid: 0 },
  ]);
  t.match(warnings, [{ code: 'global-header', message: /path, uid, size/ }]);
  t.same(
    read(join([pax([['comment', 'c']], 'g'), member({ name: 'a' })])).warnings,
    [],
    "git archive's comment is none",
  );
});

t.test('what is not carried over is reported', async (t) => {
  const records = pax([
    ['SCHILY.acl.access', 'user::rwx'],
    ['SCHILY.fflags', 'immutable'],
    ['RHT.security.selinux', 'x'],
  ]);
  t.match(read(join([records, member({ name: 'a' })])).warnings, [
    { code: 'acl', path: 'a' },
    { code: 'file-flags', path: 'a' },
    { code: 'selinux', path: 'a' },
  ]);
});

t.test('extended headers have limits', async (t) => {
  const a = member({ name: 'a' });
  for (const type of ['x', 'g', 'L', 'K']) {
    t.throws(
      () => only(header({ name: 'e', type, size: limits.paxHeaderSize + 1 })),
      { code: 'LIMIT_EXCEEDED' },
      `CVE-2022-2879: ${type} of more than 1 MiB`,
    );
    t.throws(
      () =>
        only(
          header({
            name: 'e',
            type,
            size: Buffer.from(`\x80${'\0'.repeat(7)}\x7f${'\xff'.repeat(3)}`, 'latin1'),
          }),
        ),
      { code: 'LIMIT_EXCEEDED' },
      `${type} of 2 GiB`,
    );
    t.throws(
      () => only(header({ name: 'e', type, size: Buffer.alloc(12, 0xff) })),
      { code: 'TAR_INVALID' },
      `${type} of negative size`,
    );
    const many = (count: number): Buffer =>
      join(Array.from({ length: count }, () => header({ name: 'e', type })));
    t.equal(only(many(limits.consecutiveHeaders), a).path, 'a', `${type}: as many in a row as may be`);
    t.throws(
      () => only(many(limits.consecutiveHeaders + 1), a),
      { code: 'LIMIT_EXCEEDED' },
      `${type}: thousands in a row`,
    );
  }
  const comment = 'c'.repeat(limits.paxHeaderSize - record('comment', '').length - 6);
  t.equal(only(pax([['comment', comment]]), a).path, 'a', 'nearly 1 MiB');
});
