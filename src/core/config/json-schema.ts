/** The JSON Schema of xcrepl.yaml, for editors and for the reference. Made from the schema, never written by hand. */

import * as z from 'zod/mini';
import { configSchema } from './schema.ts';

export const configJsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' }),
  title: 'xcrepl.yaml',
});
