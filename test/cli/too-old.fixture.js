import { relaunch } from '../../bin/relaunch.js';

relaunch('99.0');
