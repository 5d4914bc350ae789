/** Rules that parse, but that this version cannot run yet: said beforehand, as planning them will refuse. */

import type { Config } from '../../config/schema.ts';
import type { Finding } from '../finding.ts';

export const checkRules = (config: Config): Finding[] =>
  config.rules.flatMap((rule): Finding[] => {
    const refused = (seen: string, remedy: string): Finding => ({
      check: 'rule',
      subject: rule.id,
      verdict: 'fail',
      severity: 'warn',
      seen,
      remedy,
      code: 'XC-1007',
    });
    if (rule.tier !== 'warm')
      return [refused(`the ${rule.tier} tier cannot run in this version`, 'leave it out with --tier warm')];
    if (rule.mode !== 'active-passive')
      return [refused('active-active cannot run in this version', `give it mode: active-passive`)];
    return [];
  });
