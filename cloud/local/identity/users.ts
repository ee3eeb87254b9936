import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../shared/clock.ts';
import { type LibraryId, libraryId } from '../../../shared/model/asset.ts';
import { parse } from '../../../shared/parse.ts';
import { region } from '../names.ts';
import type { Verifier } from './srp.ts';

/** Somebody who may sign in. */
export interface User extends Verifier {
  /** Lower case: names differ by more than capitals. */
  readonly name: string;
  /** Stable and never given twice, also to a later user of the same name. */
  readonly sub: string;
  /** Who the password is of, to SRP: `sub`; the name, where the password is older than that. */
  readonly srpUser: string;
  readonly mustChangePassword: boolean;
  /** ms since 1970 */
  readonly createdAt: number;
  /** ms since 1970 */
  readonly changedAt: number;
}

/** Who may sign in, what is good for signing in again, and whose library is whose. */
export interface Users {
  find(name: string): User | null;
  findBySub(sub: string): User | null;
  /** Those whose names come after `after`, in order. */
  list(after: string, limit: number): User[];
  /** @param verifierOf gets `srpUser` @returns null when the name is taken */
  add(name: string, verifierOf: (srpUser: string) => Verifier): User | null;
  setPassword(user: User, verifierOf: (srpUser: string) => Verifier, mustChange: boolean): void;
  remove(name: string): void;

  /** @returns a new refresh token, of which only the hash is kept */
  giveRefreshToken(name: string): string;
  /** Whose refresh token it is; null when it is not good (any more). */
  ofRefreshToken(token: string): User | null;
  revokeRefreshToken(token: string): void;
  revokeAll(name: string): void;

  /** The library of a user: made when it is first asked for, the same for ever. */
  identityOf(sub: string): LibraryId;
}

/** Cognito's own default. */
const refreshMs = 30 * 24 * 3600_000;

export function createUsers(sql: DatabaseSync, clock: Clock): Users {
  const userOf = (row: Record<string, unknown> | undefined): User | null => (row ? fromRow(row) : null);
  const find = (name: string) => userOf(sql.prepare('SELECT * FROM user WHERE name = ?').get(name));
  return {
    find,
    findBySub: (sub) => userOf(sql.prepare('SELECT * FROM user WHERE sub = ?').get(sub)),
    list: (after, limit) => sql.prepare('SELECT * FROM user WHERE name > ? ORDER BY name LIMIT ?').all(after, limit).map(fromRow),
    add(name, verifierOf) {
      const sub = randomUUID();
      const { salt, verifier } = verifierOf(sub);
      const insert = `INSERT INTO user (name, sub, srp_user, salt, verifier, must_change_password, created_at, changed_at)
        VALUES (?1, ?2, ?2, ?3, ?4, 1, ?5, ?5) ON CONFLICT DO NOTHING`;
      const { changes } = sql.prepare(insert).run(name, sub, salt.toString(16), verifier.toString(16), clock.now());
      return changes === 0 ? null : find(name);
    },
    setPassword({ name, sub }, verifierOf, mustChange) {
      const { salt, verifier } = verifierOf(sub);
      sql
        .prepare('UPDATE user SET srp_user = sub, salt = ?, verifier = ?, must_change_password = ?, changed_at = ? WHERE name = ?')
        .run(salt.toString(16), verifier.toString(16), Number(mustChange), clock.now(), name);
    },
    remove: (name) => void sql.prepare('DELETE FROM user WHERE name = ?').run(name),

    giveRefreshToken(name) {
      sql.prepare('DELETE FROM refresh_token WHERE expires_at <= ?').run(clock.now());
      const token = randomBytes(48).toString('base64url');
      sql.prepare('INSERT INTO refresh_token (hash, user, expires_at) VALUES (?, ?, ?)').run(hashOf(token), name, clock.now() + refreshMs);
      return token;
    },
    ofRefreshToken: (token) =>
      userOf(
        sql
          .prepare('SELECT user.* FROM refresh_token JOIN user ON user.name = refresh_token.user WHERE hash = ? AND expires_at > ?')
          .get(hashOf(token), clock.now()),
      ),
    revokeRefreshToken: (token) => void sql.prepare('DELETE FROM refresh_token WHERE hash = ?').run(hashOf(token)),
    revokeAll: (name) => void sql.prepare('DELETE FROM refresh_token WHERE user = ?').run(name),

    identityOf(sub) {
      sql.prepare('INSERT INTO identity (sub, id) VALUES (?, ?) ON CONFLICT DO NOTHING').run(sub, `${region}:${randomUUID()}`);
      return parse(libraryId, sql.prepare('SELECT id FROM identity WHERE sub = ?').get(sub)?.['id'], 'identity');
    },
  };
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

function fromRow(row: Record<string, unknown>): User {
  const number = (name: string) => BigInt(`0x${row[name]}`);
  return {
    name: String(row['name']),
    sub: String(row['sub']),
    srpUser: String(row['srp_user']),
    salt: number('salt'),
    verifier: number('verifier'),
    mustChangePassword: row['must_change_password'] === 1,
    createdAt: Number(row['created_at']),
    changedAt: Number(row['changed_at']),
  };
}
