import { describe, expect, it } from 'vitest';
import {
  type Change,
  claim,
  destinationOf,
  filed,
  finish,
  finishWithout,
  giveUp,
  isFinished,
  pipelineVersion,
  type StoredAsset,
} from '../../../cloud/steps/assets.ts';
import type { Claimant } from '../../../cloud/steps/state.ts';
import type { AssetId, LibraryId } from '../../../shared/model/asset.ts';

const execution = (name: string, more: Partial<Claimant> = {}): Claimant => ({
  library: 'local' as LibraryId,
  asset: 'a'.repeat(64) as AssetId,
  ext: 'jpg',
  version: 'v1',
  attempt: 1,
  execution: name,
  ...more,
});
const first = execution('first');
const second = execution('second', { attempt: 2 });
const analysed = finish(first, { outcome: { kind: 'analysed', category: 'success' } });
const reject = (who: Claimant, reason: string) => finishWithout(who, { outcome: { kind: 'rejected', reason } });
const kept = (who: Claimant) => finish(who, { outcome: { kind: 'kept', reason: 'later' } });

/** Applies changes one after another, as `changeAsset` does it. */
const after = (...changes: Change[]): StoredAsset | null =>
  changes.reduce<StoredAsset | null>((current, change) => {
    const changed = change(current);
    return changed ? { ...changed, revision: (current?.revision ?? 0) + 1 } : current;
  }, null);

describe('claim', () => {
  it('makes a pending record that no desktop pulls', () => {
    expect(after(claim(first, 'a.jpg'))).toMatchObject({
      name: 'a.jpg',
      outcome: { kind: 'pending', execution: 'first' },
      media: null,
      claim: { execution: 'first', version: 'v1', attempt: 1 },
    });
    expect(after(claim(first, 'a.jpg'))).not.toHaveProperty('changedAt');
  });

  it('changes nothing when the same execution claims again', () => {
    expect(claim(first, 'a.jpg')(after(claim(first, 'a.jpg')))).toBeNull();
  });

  it('takes an asset from another execution, and up again from the dead letters', () => {
    expect(after(claim(first, null), claim(second, null))?.claim.execution).toBe('second');
    expect(after(claim(first, null), giveUp(first, 'no luck'), claim(second, null))?.outcome.kind).toBe('pending');
  });

  it('leaves a finished asset alone', () => {
    expect(claim(second, null)(after(claim(first, null), analysed))).toBeNull();
    expect(claim(second, null)(after(claim(first, null), kept(first)))).toBeNull();
    expect(claim(second, null)(after(claim(first, null), reject(first, 'damaged')))).toBeNull();
  });

  it('looks again at what was rejected when it was sent again', () => {
    const rejected = after(claim(first, null), reject(first, 'damaged'));
    expect(claim(execution('resent', { version: 'v2' }), null)(rejected)?.outcome.kind).toBe('pending');
  });

  it('keeps what an earlier pipeline found until there is something new', () => {
    const old = { ...(after(claim(first, null), analysed) as StoredAsset), pipelineVersion: pipelineVersion - 1 };
    expect(isFinished(old, 'v1')).toBe(false);
    expect(claim(second, null)(old)).toMatchObject({ outcome: { kind: 'analysed' }, claim: { execution: 'second' } });
  });
});

describe('finish', () => {
  it('writes the outcome once, however often it runs', () => {
    const done = after(claim(first, null), analysed);
    expect(done).toMatchObject({ outcome: { kind: 'analysed' }, recordedBy: 'first', revision: 2 });
    expect(analysed(done)).toBeNull();
  });

  it('does nothing for an execution that has lost its claim, or whose record is gone', () => {
    expect(analysed(after(claim(first, null), claim(second, null)))).toBeNull();
    expect(analysed(null)).toBeNull();
  });
});

describe('reject', () => {
  it('says why', () => {
    expect(after(claim(first, null), reject(first, 'damaged'))?.outcome).toEqual({ kind: 'rejected', reason: 'damaged' });
  });

  it('never replaces a finished record, of whatever pipeline', () => {
    const done = after(claim(first, null), analysed) as StoredAsset;
    expect(reject(first, 'damaged')(done)).toBeNull();
    expect(reject(first, 'damaged')({ ...done, pipelineVersion: 0 })).toBeNull();
  });
});

describe('giveUp', () => {
  it('records the failure, also when no execution got as far as a claim', () => {
    expect(after(giveUp(first, 'no luck'))?.outcome).toEqual({ kind: 'failed', reason: 'no luck' });
    expect(after(claim(first, 'a.jpg'), giveUp(second, 'no luck'))).toMatchObject({
      name: 'a.jpg',
      outcome: { kind: 'failed', reason: 'no luck' },
      claim: { execution: 'second', attempt: 2 },
    });
  });

  it('changes nothing the second time', () => {
    expect(giveUp(first, 'no luck')(after(giveUp(first, 'no luck')))).toBeNull();
    expect(giveUp(second, 'no luck')(after(claim(first, null), analysed, giveUp(second, 'no luck')))).toBeNull();
  });

  it('leaves what was found, and says that the original is not filed until it is, or something is found again', () => {
    const done = after(claim(first, null), analysed) as StoredAsset;
    const unfiled = after(claim(first, null), analysed, giveUp(second, 'no luck')) as StoredAsset;
    expect(unfiled).toMatchObject({ outcome: done.outcome, unfiled: 'no luck', claim: { execution: 'second' } });
    expect(filed(unfiled)).toEqual({ ...unfiled, unfiled: undefined });
    expect(filed(done)).toBeNull();
    const third = execution('third', { attempt: 3 });
    const again = after(() => ({ ...unfiled, pipelineVersion: 0 }), claim(third, null), finish(third, { outcome: done.outcome }));
    expect(again).not.toHaveProperty('unfiled');
  });

  it('never replaces what a later or other execution is at work on', () => {
    expect(giveUp(first, 'no luck')(after(claim(second, null)))).toBeNull();
    expect(giveUp(second, 'no luck')(after(claim(execution('other', { version: 'v2' }), null)))).toBeNull();
  });
});

describe('destinationOf', () => {
  it.each([
    ['success', after(claim(first, null), analysed)],
    ['rejected', after(claim(first, null), reject(first, 'damaged'))],
    ['inbox', after(claim(first, null), kept(first))],
    ['inbox', after(claim(first, null), giveUp(first, 'no luck'))],
    ['inbox', after(claim(first, null))],
    ['inbox', null],
  ])('is %s', (destination, record) => expect(destinationOf(record)).toBe(destination));
});
