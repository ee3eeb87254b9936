import { dirname } from 'node:path';
import { InvalidInput } from '../../shared/errors.ts';

/** Something that this cloud stores is not what it was. The message says what and where, `withAdvice` what to do. */
export class Damage extends InvalidInput {}

/**
 * Photos are in the watched folders as a rule, and only there when it is certain: so all of the cloud is given up at once, and the agent sends them to a
 * new one (`followCloud` in desktop/agent/db).
 * @param cloudDir all of the cloud's data
 */
export function withAdvice({ message }: Damage, cloudDir: string): string {
  return (
    `${message} Nothing was removed. If there is a backup of all of ${dirname(cloudDir)}, close Pixwatch and put that back. If not, move ${cloudDir} to ` +
    'another place, keep it, and start Pixwatch: it sends every photo again from the watched folders. One that is in none of them any more is only in what you keep.'
  );
}
