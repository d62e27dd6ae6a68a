import { open } from '../../index.js';
import { conformance } from '../conformance/suite.js';

conformance('overlay', (root) => open({ root, driver: 'overlay' }));
