import { messageOf } from '../../shared/errors.ts';

/** The system's place for secrets. Accounts are names of ours. */
export interface Keychain {
  /** Null: it holds none for this account. @throws when it cannot be read */
  read(account: string): Promise<string | null>;
  /** @throws when it cannot be written */
  write(account: string, secret: string): Promise<void>;
  /** @throws when it cannot be written */
  remove(account: string): Promise<void>;
}

const service = 'Pixwatch';
/** An answer may wait for a person to unlock it, but not for ever. */
const patienceMs = 60_000;

/** The keychain of macOS, Windows' credential manager, or the Secret Service of a Linux desktop. */
export const systemKeychain: Keychain = {
  async read(account) {
    const secret = await (await entryOf(account)).getSecret(AbortSignal.timeout(patienceMs));
    return secret === null ? null : Buffer.from(secret).toString();
  },
  async write(account, secret) {
    // As bytes: Windows takes 2,560 of them, and would make two of every character of a text.
    await (await entryOf(account)).setSecret(Buffer.from(secret), AbortSignal.timeout(patienceMs));
  },
  async remove(account) {
    await (await entryOf(account)).deleteCredential(AbortSignal.timeout(patienceMs));
  },
};

async function entryOf(account: string) {
  // Only here: most never sign in, and there may be no binary for this system.
  const { AsyncEntry } = await import('@napi-rs/keyring');
  // Linux's kernel keyring, the library's second choice, forgets at times of its own.
  return new AsyncEntry(service, account, { linux: { store: 'secret-service' } });
}

/** Secrets that outlive the process where the keychain allows it, and else live as long as the process. */
export interface Secrets {
  read(account: string): Promise<string | null>;
  keep(account: string, secret: string): Promise<void>;
  forget(account: string): Promise<void>;
  /** Whether what was read or kept last will be there after a restart. */
  isKept(account: string): boolean;
}

/** @param log gets one line, without the secret, when the keychain cannot be used */
export function createSecrets(keychain: Keychain, log: (line: string) => void): Secrets {
  const inMemory = new Map<string, string>();
  const unusable = (thrown: unknown) => log(`The system's keychain cannot be used: ${messageOf(thrown)}`);
  return {
    async read(account) {
      const held = inMemory.get(account);
      if (held !== undefined) return held;
      return keychain.read(account).catch((thrown) => {
        unusable(thrown);
        return null;
      });
    },
    async keep(account, secret) {
      inMemory.delete(account);
      await keychain.write(account, secret).catch((thrown) => {
        unusable(thrown);
        inMemory.set(account, secret);
      });
    },
    async forget(account) {
      inMemory.delete(account);
      await keychain.remove(account).catch(unusable);
    },
    isKept: (account) => !inMemory.has(account),
  };
}
