/** A configuration as the program would have read it. */

import { configSchema, type Config, type ConfigInput } from '../../src/core/config/schema.ts';

export const parseConfig = (input: ConfigInput): Config => configSchema.parse(input);
