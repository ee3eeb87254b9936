import type { Principal, SignedRequest } from './service.ts';

/** Temporary keys that were given out. */
export interface GuestKey {
  readonly secretAccessKey: string;
  /** ms since 1970 */
  readonly expiresAt: number;
  readonly principal: Principal;
}

/** Who else than the owner may ask, and for what. */
export interface Guests {
  /** @returns null when we did not give these out, or they do not belong together */
  findKey(accessKeyId: string, sessionToken: string): GuestKey | null;
  /** The service that answers a request without a signature, by its `X-Amz-Target`; null when it needs one. */
  openService(target: string): string | null;
  /**
   * Judges what a signed-in principal asks for.
   * @returns the request to hand on, whose body may have been read for it
   * @throws SignatureRefused when it may not
   */
  admit(service: string, request: SignedRequest): Promise<SignedRequest>;
}
