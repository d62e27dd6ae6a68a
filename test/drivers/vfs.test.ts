import { open } from '../../index.js';
import { conformance } from '../conformance/suite.js';

conformance('vfs', (root) => open({ root, driver: 'vfs' }));
